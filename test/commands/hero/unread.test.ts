import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { listObjects } from "../../../src/aws/s3/listing.ts";
import { plainPicture } from "../../fixtures/pictures.ts";
import type { Fault, SeenRequest } from "../../support/faulty-server.ts";
import { startFaultySite, type FaultySite } from "../../support/faulty-site.ts";
import { ownerItem } from "../../support/owner-item.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const bucket = "manuel-weiss-public-media";
const table = "mawps-user-profiles";

let home: TestHome;
let site: FaultySite;

beforeEach(async () => {
  home = await makeHome();
  await writeFile(join(home.folder, "photo.jpg"), await plainPicture([200, 90, 60]).jpeg().toBuffer());
});
afterEach(() => home.remove());

/** Whether anybody asks for a picture, without a signature. */
function isPublic({ method, path, headers }: SeenRequest): boolean {
  return method === "GET" && headers.authorization === undefined && path.startsWith(`/${bucket}/public/`);
}

async function state(aws: Aws) {
  const keys: string[] = [];
  for await (const { objects } of listObjects(aws, { bucket })) keys.push(...objects.map(({ key }) => key));
  return { keys, owner: await ownerItem(aws, table, "simple") };
}

describe("where the public address gives no picture", () => {
  it.each<[string, Fault, RegExp]>([
    ["cuts the connection", "cut", /whether the public can read \S+ is not known: cannot reach .*ECONNRESET/],
    ["breaks off in the picture", { cutAfterBytes: 10 }, /is not known: cannot reach .*ECONNRESET/],
    ["changes it on the way", "flip a byte", /the public cannot read \S+: [\d.]+ \w+ of other bytes/],
    ["does not find it", { status: 404 }, /the public cannot read \S+: HTTP 404/],
    ["sends on", { status: 302, headers: { location: "https://x/?secret" } }, /cannot read \S+: HTTP 302/],
  ])("and %s, hero set says so, and the old picture stays live", async (_how, fault, told) => {
    expect((await home.run(["hero", "set", "photo.jpg"])).exitCode).toBe(0);
    const before = await home.look(state);
    site = await startFaultySite(home);
    site.server.fault = (request) => (isPublic(request) ? fault : undefined);
    const { exitCode, stdout, stderr } = await site.run(["hero", "set", "photo.jpg"]);
    const doctor = await site.run(["doctor", "--json"]);
    await site.close();
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(told);
    expect(stderr).toContain("the old picture stays live");
    expect(stderr).not.toContain("bug");
    expect(stderr).not.toContain("secret");
    expect(await home.look(state)).toEqual(before);

    const findings = doctor.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { check: string; status: string; message: string });
    const picture = findings.find(({ check }) => check === "hero image");
    const isRead = fault === "flip a byte";
    expect(picture?.status === "ok").toBe(isRead);
    expect(/can read it|gives it to anybody/.test(picture?.message ?? "")).toBe(isRead);
    expect(findings.some(({ check }) => check === "privacy")).toBe(true);
  });
});

it("says which server it was read from where a CDN's address was not asked", async () => {
  site = await startFaultySite(home);
  const env = { MAWPS_PUBLIC_BASE_URL: "https://cdn.example.com" };
  const { exitCode, stdout } = await site.run(["hero", "set", "photo.jpg", "--json"], env);
  const text = await site.run(["hero", "set", "photo.jpg"], env);
  await site.close();
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ verified: false, readAt: site.server.url });
  expect(text.stdout).toContain(
    `read back at ${site.server.url}, byte for byte; the URL itself was not asked`,
  );
});
