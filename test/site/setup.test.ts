import {
  DeletePublicAccessBlockCommand,
  PutPublicAccessBlockCommand,
  type PublicAccessBlockConfiguration,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Finding } from "../../src/doctor/finding.ts";
import { openKeys, userFiles } from "./objects.ts";
import { makeLiveSite, type LiveSite } from "./world.ts";

let site: LiveSite;

beforeAll(async () => {
  site = await makeLiveSite();
  // The tool's own tables, and what protects, come with the first command.
  await site.run(["hero", "show"]);
});

afterAll(() => site.remove());

async function findingsOf(of: LiveSite): Promise<Finding[]> {
  const { stdout } = await of.run(["doctor", "--json"]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Finding);
}

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
  const findings = await findingsOf(site);
  const bad = findings.filter(({ status }) => status === "problem");
  expect(bad).toEqual([]);
  const kept = findings.filter(({ message }) => /^(ownership|public access block): /.test(message));
  expect(kept).toHaveLength(2);
  for (const { status, message, remedy } of kept) {
    expect(status).toBe("warning");
    expect(message).toContain(`which would close what an ACL opens now, ${openKeys.length} objects of `);
    expect(remedy).toContain("leave it while the website needs that");
  }
  const text = (await site.run(["doctor"])).stdout;
  expect(text).toContain("leave it while the website needs that");
  expect(text).not.toMatch(/: mawps setup --fix$/m);
  expect(await site.changedSince(before)).toEqual([]);
});

/** A copy of the site whose private bucket has no, or another, public access block. */
async function withBlock(block: PublicAccessBlockConfiguration | undefined): Promise<LiveSite> {
  const other = await site.copy();
  await other.look(async (aws) => {
    const s3 = await aws.s3();
    if (block === undefined) await s3.send(new DeletePublicAccessBlockCommand({ Bucket: userFiles }));
    else
      await s3.send(
        new PutPublicAccessBlockCommand({ Bucket: userFiles, PublicAccessBlockConfiguration: block }),
      );
  });
  return other;
}

test("setup --fix refuses, too, what would have uploads refused whose ACL opens nothing", async () => {
  const ignoring = await withBlock({
    BlockPublicAcls: false,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true,
  });
  try {
    const before = await ignoring.picture();
    const { exitCode, stdout, stderr } = await ignoring.run(["setup", "--fix", "--yes"]);
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("nothing was changed: setup would have uploads with an ACL refused");
    const named = openKeys.filter((key) =>
      stderr.includes(`${userFiles}/${key} (uploaded with an ACL that opens nothing)`),
    );
    expect(named).toEqual(openKeys);
    expect(stderr).toContain("--even-if-public-objects");
    const found = (await findingsOf(ignoring)).filter(({ message }) =>
      message.includes("with an ACL refused"),
    );
    expect(found.map(({ status, message }) => [status, message.split(":")[0]])).toEqual([
      ["warning", "public access block"],
      ["warning", "ownership"],
    ]);
    expect(await ignoring.changedSince(before)).toEqual([]);
    const told = await ignoring.run(["setup", "--fix", "--yes", "--even-if-public-objects"]);
    expect(told.exitCode).toBe(0);
    expect(await ignoring.changedSince(before)).toContain(`changed bucket ${userFiles} ownership`);
  } finally {
    await ignoring.remove();
  }
});

test("doctor recommends no setup that refuses, where there is no public access block", async () => {
  const unblocked = await withBlock(undefined);
  try {
    const refused = await unblocked.run(["setup", "--dry-run"]);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining(openKeys[0])]);
    const found = await findingsOf(unblocked);
    const [block, ...others] = found.filter(
      ({ subject, message }) => subject === userFiles && message.startsWith("public access block: "),
    );
    expect(others).toEqual([]);
    expect(block?.status).toBe("warning");
    expect(block?.message).toContain("public access block: missing");
    expect(block?.message).toContain(
      `which would close what an ACL opens now, ${openKeys.length} objects of `,
    );
    expect(block?.remedy).toBe("leave it while the website needs that; `mawps setup --dry-run` names them");
  } finally {
    await unblocked.remove();
  }
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
