import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeHome, testStart, type TestHome } from "../support/world.ts";

const minuteMs = 60_000;

let home: TestHome;
beforeEach(async () => {
  home = await makeHome();
  await writeFile(
    join(home.folder, "a.pdf"),
    "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
  );
});
afterEach(() => home.remove());

const upload = () =>
  home.run(["doc", "upload", "u1", "a.pdf", "--type", "cv", "--create-profile", "--no-scan", "--json"]);
const near = (text: string) => Math.abs(Date.parse(text) - testStart.getTime());

describe.each([
  [-3 * 24 * 60, "72 hours behind"],
  [-20, "20 minutes behind"],
  [20, "20 minutes ahead of"],
  [120, "2 hours ahead of"],
])("with a clock that is %i minutes off", (aheadMinutes, difference) => {
  test("a document and its link go by the server's time, and the difference is told once", async () => {
    home.aheadMs = aheadMinutes * minuteMs;
    const { exitCode, stderr } = await upload();
    expect({ exitCode, warnings: stderr.split("\n").filter((line) => line.includes("warning")) }).toEqual({
      exitCode: 0,
      warnings: [
        `{"warning":"this computer's clock is ${difference} the server's; what is signed and stored goes by the server's"}`,
      ],
    });
    const listed = await home.run(["doc", "list", "u1", "--json"]);
    const document = JSON.parse(listed.stdout) as { id: string; uploadedAt: string };
    expect(near(document.uploadedAt)).toBeLessThan(15 * minuteMs);

    const link = await home.run(["doc", "url", "u1", document.id, "--allow-unscanned", "--json"]);
    const { url } = JSON.parse(link.stdout) as { url: string };
    const [, date = "", time = ""] = /X-Amz-Date=(\d{8})T(\d{6})Z/.exec(url) ?? [];
    const signedAt = `${date.replace(/(....)(..)(..)/, "$1-$2-$3")}T${time.replace(/(..)(..)(..)/, "$1:$2:$3")}Z`;
    expect(near(signedAt)).toBeLessThan(15 * minuteMs);

    await home.run(["doc", "rm", "u1", document.id, "--yes"]);
    const removed = await home.run(["doc", "list", "u1", "--deleted", "--json"]);
    expect(near((JSON.parse(removed.stdout) as { deletedAt: string }).deletedAt)).toBeLessThan(15 * minuteMs);
    const trail = await home.run(["audit", "list", "--json"]);
    const times = trail.stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { timestamp: string }).timestamp);
    expect(times.length).toBeGreaterThan(2);
    expect(Math.max(...times.map(near))).toBeLessThan(15 * minuteMs);
  });
});
