import { afterAll, beforeAll, expect, test } from "vitest";
import { openKeys, userFiles } from "./objects.ts";
import { makeLiveSite, type LiveSite } from "./world.ts";

let site: LiveSite;

beforeAll(async () => {
  site = await makeLiveSite();
  // The tool's own tables, and what protects, come with the first command.
  await site.run(["hero", "show"]);
});

afterAll(() => site.remove());

test.each([[], ["--dry-run"]])("setup --fix refuses to close what is open by its ACL %s", async (...more) => {
  const before = await site.picture();
  const { exitCode, stdout, stderr } = await site.run(["setup", "--fix", "--yes", ...more]);
  expect([exitCode, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("nothing was changed: setup would close what is open now (a sample: ");
  const named = openKeys.filter((key) => stderr.includes(`${userFiles}/${key} (open to everybody)`));
  expect(named).toEqual(openKeys);
  expect(stderr).toContain("--even-if-public-objects");
  expect(await site.changedSince(before)).toEqual([]);
});

test("doctor recommends nothing that would close what is open, and calls nothing of the site's lost", async () => {
  const before = await site.picture();
  const { stdout } = await site.run(["doctor", "--json"]);
  const findings = stdout
    .trim()
    .split("\n")
    .map(
      (line) =>
        JSON.parse(line) as {
          check: string;
          subject: string;
          status: string;
          message: string;
          remedy?: string;
        },
    );
  const bad = findings.filter(({ status }) => status === "problem");
  expect(bad).toEqual([]);
  const kept = findings.filter(({ message }) => /^(ownership|public access block): /.test(message));
  expect(kept).toHaveLength(2);
  for (const { status, message, remedy } of kept) {
    expect(status).toBe("warning");
    expect(message).toContain(`which would close ${openKeys.length} objects that an ACL opens now, of `);
    expect(remedy).toContain("leave it while the website needs them open");
  }
  const text = (await site.run(["doctor"])).stdout;
  expect(text).toContain("leave it while the website needs them open");
  expect(text).not.toMatch(/: mawps setup --fix$/m);
  expect(await site.changedSince(before)).toEqual([]);
});

test("setup without --fix closes nothing", async () => {
  const before = await site.picture();
  expect((await site.run(["setup", "--yes"])).exitCode).toBe(0);
  expect(await site.changedSince(before)).toEqual([]);
});

test("setup --fix --even-if-public-objects goes on, and keeps the site's CORS", async () => {
  const before = await site.picture();
  const { exitCode } = await site.run(["setup", "--fix", "--yes", "--even-if-public-objects"]);
  expect(exitCode).toBe(0);
  const changed = await site.changedSince(before);
  expect(changed).toContain(`changed bucket ${userFiles} ownership`);
  expect(changed.filter((line) => line.includes("cors"))).toEqual([]);
  const again = await site.run(["setup", "--fix", "--yes"]);
  expect([again.exitCode, again.stdout.includes("nothing to do")]).toEqual([0, true]);
});
