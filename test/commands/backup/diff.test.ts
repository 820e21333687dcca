import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deleteObject, putObject } from "../../../src/aws/s3/objects.ts";
import { documentBucket, putProfile } from "../../support/documents.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

async function created(): Promise<string> {
  home.laterMs += 60_000;
  const { stdout } = await home.run(["backup", "create", "--only", "userProfiles", "files", "--json"]);
  return (JSON.parse(stdout) as { id: string }).id;
}

const put = (key: string, text: string) =>
  home.look((aws) => putObject(aws, { bucket: documentBucket, key, body: Buffer.from(text) }));

describe("backup diff", () => {
  it("shows what came, went and changed between two backups, by key", async () => {
    await home.look((aws) => putProfile(aws, "user-1", { name: "before" }));
    await home.look((aws) => putProfile(aws, "user-2"));
    await put("kept.txt", "same");
    await put("gone\u001B[31m.txt", "gone");
    const from = await created();
    await home.look(async (aws) => {
      await putProfile(aws, "user-1", { name: "after" });
      await putProfile(aws, "user-3");
      await deleteObject(aws, { bucket: documentBucket, key: "gone\u001B[31m.txt" });
    });
    // The same bytes once more are no change.
    await put("kept.txt", "same");
    await put("new.txt", "new");
    const to = await created();

    const text = await home.run(["backup", "diff", from, "latest"]);
    expect(text.exitCode).toBe(0);
    const ours = (stdout: string) =>
      stdout.split("\n").filter((line) => line !== "" && !/audit\//.test(line));
    expect(ours(text.stdout).sort()).toEqual([
      "+ item mawps-user-profiles user-3",
      `+ object ${documentBucket} new.txt`,
      String.raw`- object ${documentBucket} gone\x1b[31m.txt`.replace("${documentBucket}", documentBucket),
      "~ item mawps-user-profiles user-1",
    ]);
    expect(text.stderr).toMatch(new RegExp(`additions?, 1 removal, \\d+ changes? from ${from} to ${to}`));

    const json = await home.run(["backup", "diff", from, to, "--json"]);
    const objects = ours(json.stdout).map((line) => JSON.parse(line) as { change: string; key: unknown });
    expect(objects).toContainEqual({
      change: "changed",
      what: "item",
      in: "mawps-user-profiles",
      key: { userId: { S: "user-1" } },
    });
  });

  it("turned around, shows the opposite", async () => {
    const from = await created();
    await home.look((aws) => putProfile(aws, "user-1"));
    const to = await created();
    const { stdout } = await home.run(["backup", "diff", to, from]);
    expect(stdout).toContain("- item mawps-user-profiles user-1");
  });

  it("refuses an id that is none", async () => {
    await created();
    expect((await home.run(["backup", "diff", "gestern", "latest"])).exitCode).toBe(2);
    const { exitCode, stderr } = await home.run(["backup", "diff", "1999", "latest"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("no backup");
  });
});
