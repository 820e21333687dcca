import { createHash } from "node:crypto";
import { chmod, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { GetBucketLifecycleConfigurationCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listVersions } from "../../src/aws/s3/listing.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";
import { dayMs, storedIn } from "./stored.ts";

const bucket = "mawps-user-files-1760106396";
const key = (user: string, name: string) => `public/documents/${user}/cv/${name}`;
const entry = (user: string, id: string, more: object = {}) => ({
  id,
  name: id,
  type: "cv",
  s3Key: key(user, `1 ${id},ü.pdf`),
  status: "DELETED",
  uploadedAt: testStart.toISOString(),
  deletedAt: testStart.toISOString(),
  ...more,
});
const hand = ["retention", "run", "--yes", "--max-delete", "100", "--hand-over"];

let home: TestHome;
let stored: ReturnType<typeof storedIn>;

async function versionsThere(): Promise<{ key: string; versionId: string }[]> {
  return stored.look(async (aws) => {
    const found = [];
    for await (const page of listVersions(aws, { bucket, prefix: "public/" }))
      found.push(...page.map(({ key: name, version }) => ({ key: name, versionId: version })));
    return found;
  });
}

const documentsOf = async (user: string) =>
  ((await stored.profile(user)) as { documents: { id: string }[] } | undefined)?.documents.map(
    ({ id }) => id,
  );

beforeAll(async () => {
  home = await makeHome();
  stored = storedIn(home, "simple");
  await stored.run("setup", "--yes");
  await stored.putProfile("max", [entry("max", "a"), entry("max", "b"), { ...entry("max", "c"), s3Key: "" }]);
  await stored.putProfile("eva", [entry("eva", "held", { legalHold: "case 7" })]);
  for (const [user, id] of [
    ["max", "a"],
    ["max", "a"],
    ["max", "b"],
    ["eva", "held"],
  ] as const)
    await stored.put(entry(user, id).s3Key, `bytes of ${id}`);
  home.laterMs = 40 * dayMs;
});
afterAll(() => home.remove());

// One after the other: each begins with what the one before has left.
describe("a run that hands over", () => {
  it("needs the rule by which S3 expires what is tagged, and changes nothing without it", async () => {
    const before = await versionsThere();
    const { exitCode, stderr } = await stored.run(...hand, "lists", "--above", "0");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("mawps setup --hand-over --fix")]);
    expect([await versionsThere(), await documentsOf("max")]).toEqual([before, ["a", "b", "c"]]);
    expect(await readdir(home.folder)).not.toContain("lists");
  });

  it("setup makes that rule beside the others, and once", async () => {
    expect((await stored.run("setup", "--hand-over", "--fix", "--yes")).exitCode).toBe(0);
    const rules = await stored.look(async (aws) => {
      const command = new GetBucketLifecycleConfigurationCommand({ Bucket: bucket });
      return (await (await aws.s3()).send(command)).Rules ?? [];
    });
    expect(rules.map(({ ID }) => ID)).toEqual([
      "mawps-abort-multipart",
      "mawps-expire-old-versions",
      "mawps-expire-due",
    ]);
    expect(rules[2]).toMatchObject({
      Status: "Enabled",
      Filter: { Tag: { Key: "mawps-retention", Value: "due" } },
      Expiration: { Days: 1 },
      NoncurrentVersionExpiration: { NoncurrentDays: 1 },
    });
    for (const flags of [["--hand-over"], []]) {
      const { stdout } = await stored.run("setup", "--dry-run", ...flags);
      expect(stdout).toContain("nothing to do");
    }
  });

  it("with a dry run writes nothing", async () => {
    const { exitCode, stderr } = await stored.run(...hand, "lists", "--above", "0", "--dry-run");
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("would be handed over")]);
    expect(await readdir(home.folder)).not.toContain("lists");
  });

  it.each([
    ["a number without --hand-over", ["retention", "run", "--above", "3"]],
    ["a folder without a name", [...hand, " "]],
  ])("takes %s for wrong usage", async (_name, args) => {
    expect((await stored.run(...args)).exitCode).toBe(2);
  });

  it("lists every version that is due, of nobody who is held, deletes what has no object, and tells the trail", async () => {
    const before = await versionsThere();
    const { exitCode, stdout } = await stored.run(...hand, "lists", "--above", "2", "--json");
    expect(exitCode).toBe(0);
    expect(await versionsThere()).toEqual(before);
    expect([await documentsOf("max"), await documentsOf("eva")]).toEqual([["a", "b"], ["held"]]);
    const folder = join(home.folder, "lists");
    expect((await readdir(folder)).toSorted()).toEqual([
      "jobs",
      `${bucket}.csv`,
      "plan.json",
      "policy.json",
      "start.sh",
      "trust.json",
    ]);
    expect([
      (await stat(folder)).mode & 0o777,
      (await stat(join(folder, `${bucket}.csv`))).mode & 0o777,
    ]).toEqual([0o700, 0o600]);
    const text = await readFile(join(folder, `${bucket}.csv`), "utf8");
    const due = before.filter((each) => each.key.startsWith("public/documents/max/"));
    expect(due).toHaveLength(3);
    const lines = due.map(
      (each) =>
        `${bucket},${each.key.replaceAll(" ", "%20").replaceAll(",", "%2C").replaceAll("ü", "%C3%BC")},${each.versionId}`,
    );
    expect(text.trimEnd().split("\n").toSorted()).toEqual(lines.toSorted());
    const sha256 = createHash("sha256").update(text).digest("hex");
    expect(JSON.parse(stdout)).toMatchObject({
      done: 1,
      handedOver: 2,
      manifests: [{ bucket, versions: 3, sha256, isVersioned: true }],
    });
    const trail = await stored.run("audit", "list", "--action", "retention.handed-over", "--json");
    expect(JSON.parse(trail.stdout)).toMatchObject({ details: { bucket, versions: 3, sha256 } });
  });

  it("takes the place of no folder", async () => {
    const { exitCode, stderr } = await stored.run(...hand, "lists", "--above", "0");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("is there already")]);
  });

  it("writes a script that creates the same job each time, with the manifest as S3 has it", async () => {
    const folder = join(home.folder, "lists");
    const calls = join(home.folder, "calls");
    // In the place of the AWS CLI: notes what it is given, a line each.
    await writeFile(
      join(home.folder, "aws"),
      `#!/bin/sh\nprintf '%s\\n' "$@" >> '${calls}'\n[ "$2" != head-object ] || echo '"etag-1"'\n`,
    );
    await chmod(join(home.folder, "aws"), 0o700);
    const role = "arn:aws:iam::123456789012:role/mawps-batch";
    const again = join(home.folder, "again");
    await writeFile(again, `#!/bin/sh\nprintf '%s\\n' "$*" >> '${calls}'\n`);
    await chmod(again, 0o700);
    const env = { PATH: `${home.folder}:${process.env["PATH"]}`, MAWPS: again };
    await promisify(execFile)("sh", [join(folder, "start.sh"), "123456789012", "lists-bucket", role], {
      env,
    });
    const given = (await readFile(calls, "utf8")).trimEnd().split("\n");
    const valueOf = (flag: string) => given[given.indexOf(flag) + 1] ?? "";
    const text = await readFile(join(folder, `${bucket}.csv`), "utf8");
    const token = createHash("sha256").update(text).digest("hex");
    expect(given[0]).toBe(`retention recheck ${folder}`);
    expect(given).toEqual(expect.arrayContaining(["create-job", "--no-confirmation-required", role]));
    expect(valueOf("--client-request-token")).toBe(token);
    expect(JSON.parse(valueOf("--manifest"))).toEqual({
      Spec: { Format: "S3BatchOperations_CSV_20180820", Fields: ["Bucket", "Key", "VersionId"] },
      Location: { ObjectArn: `arn:aws:s3:::lists-bucket/mawps-hand-over/${token}.csv`, ETag: "etag-1" },
    });
    expect(JSON.parse(valueOf("--operation"))).toEqual({
      S3PutObjectTagging: { TagSet: [{ Key: "mawps-retention", Value: "due" }] },
    });
    expect(JSON.parse(valueOf("--report"))).toMatchObject({
      Bucket: "arn:aws:s3:::lists-bucket",
      Enabled: true,
    });
    expect(JSON.parse(await readFile(join(folder, "policy.json"), "utf8"))).toMatchObject({
      Statement: [{ Resource: [`arn:aws:s3:::${bucket}/*`] }, {}, {}],
    });
  });

  describe("looked at again", () => {
    const tags = { "mawps-retention": "due", kind: "cv" };
    const tagsOf = async (name: string) => {
      const found = (await versionsThere()).filter((each) => each.key === entry("max", name).s3Key);
      return stored.look(async (aws) => {
        const { objectTags } = await import("../../src/aws/s3/objects.ts");
        return Promise.all(
          found.map(async (each) => objectTags(aws, { bucket, key: each.key, version: each.versionId })),
        );
      });
    };
    const listed = async () =>
      (await readFile(join(home.folder, "lists", `${bucket}.csv`), "utf8")).trimEnd().split("\n");

    it("gives back what is held by now: from the list, and its tag, and nothing else", async () => {
      await stored.putProfile("max", [entry("max", "a"), entry("max", "b", { legalHold: "case 9" })]);
      const there = (await versionsThere()).filter((each) => each.key.includes("/max/"));
      await stored.look(async (aws) => {
        const { setObjectTags } = await import("../../src/aws/s3/objects.ts");
        for (const { key: name, versionId: version } of there)
          await setObjectTags(aws, { bucket, key: name, version }, tags);
      });
      const before = await listed();
      const dry = await stored.run("retention", "recheck", "lists", "--dry-run", "--json");
      expect([dry.exitCode, JSON.parse(dry.stdout)]).toEqual([
        0,
        expect.objectContaining({ listed: 2, untagged: 1 }),
      ]);
      expect([await listed(), await tagsOf("b")]).toEqual([before, [tags]]);
      const { exitCode, stdout, stderr } = await stored.run("retention", "recheck", "lists");
      expect([exitCode, stdout]).toEqual([
        0,
        "2 versions left to S3, 1 taken back; the tag taken off 1 version\n",
      ]);
      expect(stderr).toContain("case 9");
      const left = await listed();
      expect([left.length, left.filter((line) => line.includes("1%20b"))]).toEqual([2, []]);
      expect([await tagsOf("a"), await tagsOf("b")]).toEqual([[tags, tags], [{ kind: "cv" }]]);
      const sha256 = createHash("sha256")
        .update(`${left.join("\n")}\n`)
        .digest("hex");
      const jobs = await readFile(join(home.folder, "lists", "jobs"), "utf8");
      expect(jobs).toBe(`${bucket}.csv ${sha256} "Bucket","Key","VersionId"\n`);
      const trail = await stored.run("audit", "list", "--action", "retention.taken-back", "--json");
      expect(trail.stdout).toContain('"versions":1');
    });

    it("gives back an object that an entry names by now which stays, though the one it was listed for still goes", async () => {
      const there = (await versionsThere()).filter((each) => each.key === entry("max", "a").s3Key);
      const others = [entry("max", "b", { legalHold: "case 9" })];
      const living = { ...entry("max", "again", { status: "READY" }), s3Key: entry("max", "a").s3Key };
      await stored.putProfile("max", [entry("max", "a"), living, ...others]);
      const dry = await stored.run("retention", "recheck", "lists", "--dry-run", "--json");
      expect(JSON.parse(dry.stdout)).toMatchObject({ untagged: 2 });
      expect(await tagsOf("a")).toEqual([tags, tags]);
      home.beforeCall = async (command, input) => {
        const { VersionId } = input as { readonly VersionId?: string };
        if (command === "PutObjectTaggingCommand" && VersionId === there[0]?.versionId)
          throw new Error("this one is denied");
      };
      const some = await stored.run("retention", "recheck", "lists", "--json");
      home.beforeCall = undefined;
      expect([some.exitCode, JSON.parse(some.stdout), some.stderr]).toEqual([
        3,
        expect.objectContaining({ listed: 0, untagged: 1 }),
        expect.stringContaining("this one is denied"),
      ]);
      expect((await tagsOf("a")).filter((each) => "mawps-retention" in each)).toEqual([tags]);
      const { exitCode, stdout } = await stored.run("retention", "recheck", "lists", "--json");
      expect([exitCode, JSON.parse(stdout)]).toEqual([
        0,
        expect.objectContaining({ listed: 0, untagged: 1 }),
      ]);
      expect(await tagsOf("a")).toEqual([{ kind: "cv" }, { kind: "cv" }]);
      // As it was.
      await stored.putProfile("max", [entry("max", "a"), ...others]);
      await stored.look(async (aws) => {
        const { setObjectTags } = await import("../../src/aws/s3/objects.ts");
        for (const { key: name, versionId: version } of there)
          await setObjectTags(aws, { bucket, key: name, version }, tags);
      });
    });

    it("leaves what S3 has begun to expire, and has no list where nothing is left", async () => {
      await stored.look(async (aws) => {
        const { deleteObject } = await import("../../src/aws/s3/objects.ts");
        await deleteObject(aws, { bucket, key: entry("max", "a").s3Key });
      });
      const expiring = await stored.run("retention", "recheck", "lists", "--json");
      expect(JSON.parse(expiring.stdout)).toMatchObject({
        listed: 2,
        takenBack: [{ why: expect.any(String) }],
      });
      await stored.putProfile("max", [
        entry("max", "a", { legalHold: "case 9" }),
        entry("max", "b", { legalHold: "case 9" }),
      ]);
      const { stdout } = await stored.run("retention", "recheck", "lists", "--json");
      expect(JSON.parse(stdout)).toMatchObject({ listed: 0, untagged: 2, manifests: [] });
      const names = await readdir(join(home.folder, "lists"));
      expect(names.filter((name) => name === "jobs" || name.endsWith(".csv"))).toEqual([]);
      const env = { PATH: process.env["PATH"], MAWPS: "true" };
      const started = await promisify(execFile)(
        "sh",
        [join(home.folder, "lists", "start.sh"), "1", "b", "r"],
        {
          env,
        },
      );
      expect(started.stdout).toBe("nothing is left to be handed over\n");
      await stored.putProfile("max", [entry("max", "a"), entry("max", "b")]);
    });

    it("needs the folder of a run that handed over", async () => {
      const { exitCode, stderr } = await stored.run("retention", "recheck", "nowhere");
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining("cannot read")]);
      expect(stderr).toContain("retention run --hand-over <folder>");
    });
  });

  it("is finished by a later run: entries go when their objects are gone, and one that is not many deletes as ever", async () => {
    const isOfA = ({ key: name }: { key: string }) => name.includes("/max/") && name.includes("1 a,");
    const gone = (await versionsThere()).filter(isOfA);
    await stored.look(async (aws) => {
      const { deleteObjects } = await import("../../src/aws/s3/deletion.ts");
      await deleteObjects(
        aws,
        bucket,
        gone.map(({ key: name, versionId: version }) => ({ key: name, version })),
        undefined,
      );
    });
    const { exitCode, stderr, stdout } = await stored.run(...hand, "more");
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("not more than 1,000,000 are due")]);
    expect(stdout).toMatch(/^2 done\n/);
    expect([await documentsOf("max"), await documentsOf("eva")]).toEqual([[], ["held"]]);
    expect((await versionsThere()).map((each) => each.key)).toEqual([entry("eva", "held").s3Key]);
  });

  it("leaves no folder where nothing is handed over, so that the same command can be run again", async () => {
    await stored.putProfile("tom", [{ ...entry("tom", "x"), s3Key: "" }]);
    const { exitCode, stdout } = await stored.run(...hand, "none", "--above", "0", "--json");
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ done: 1, handedOver: 0 })]);
    expect(await readdir(home.folder)).not.toContain("none");
  });
});
