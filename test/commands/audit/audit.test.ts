import type { PutMetricDataCommandInput } from "@aws-sdk/client-cloudwatch";
import { DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepAnchor, writeAnchor } from "../../../src/audit/anchor.ts";
import { newSigner, writeClaim } from "../../../src/audit/claims.ts";
import { storedChain } from "../../../src/audit/entries.ts";
import { trailPrefix } from "../../../src/audit/place.ts";
import { queryItems } from "../../../src/aws/dynamodb/items.ts";
import { putNew } from "../../../src/aws/dynamodb/records.ts";
import { listObjects, listVersions } from "../../../src/aws/s3/listing.ts";
import { deleteObject, getSmallObject, putObject } from "../../../src/aws/s3/objects.ts";
import { chained, type AuditEntry } from "../../../src/model/audit.ts";
import { version } from "../../../src/version.ts";
import { ownerItem } from "../../support/owner-item.ts";
import { makeHome, type TestHome } from "../../support/world.ts";
import { removeTable } from "../../audit/trail-site.ts";

const table = "mawps-audit-log";
const privateBucket = "mawps-user-files-1760106396";
const publicBucket = "manuel-weiss-public-media";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
  const picture = (background: string) =>
    sharp({ create: { width: 64, height: 48, channels: 3, background } })
      .jpeg()
      .toBuffer();
  await writeFile(join(home.folder, "photo.jpg"), await picture("#336699"));
  await writeFile(join(home.folder, "hover.jpg"), await picture("#993366"));
});
afterEach(() => home.remove());

async function done(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await home.run(argv, { env: { USER: "manuel" } });
  expect({ argv, exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ argv, exitCode: 0, stderr: "" });
  return stdout;
}

async function entries(...filter: string[]): Promise<AuditEntry[]> {
  const stdout = await done("audit", "list", ...filter, "--json");
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as AuditEntry);
}

function chain(): Promise<Record<string, unknown>[]> {
  return home.look(async (aws) => {
    const found: Record<string, unknown>[] = [];
    for await (const stored of storedChain({ aws, table, bucket: privateBucket })) found.push(stored);
    return found;
  });
}

function keysIn(bucket: string): Promise<string[]> {
  return home.look(async (aws) => {
    const keys: string[] = [];
    for await (const { objects } of listObjects(aws, { bucket })) keys.push(...objects.map(({ key }) => key));
    return keys;
  });
}

describe("changing commands", () => {
  it("tell the trail what they did: who, when, with what, and to which picture", async () => {
    const set = JSON.parse(await done("hero", "set", "photo.jpg", "--hover", "hover.jpg", "--json")) as {
      key: string;
      sha256: string;
      bytes: number;
      hover: { key: string };
    };
    await done("hero", "set", "hover.jpg");
    await done("hero", "rollback");
    await done("hero", "rollback", "--hover", set.key.replace(/^.*\/|\.jpg$/g, ""));
    await done("hero", "rm", "--yes");
    await done("hero", "rm", "--yes");

    const found = await entries();
    expect(
      found.map(({ action, details }) => [action, details["role"], details["phase"] ?? "-"].join(" ")),
    ).toEqual([
      "hero.removed default done",
      "hero.removed default begun",
      "hero.rolled-back hover -",
      "hero.rolled-back default -",
      "hero.changed default -",
      "hero.changed hover -",
      "hero.changed default -",
    ]);
    expect(found.at(-1)).toMatchObject({
      sequence: 1,
      userId: "owner",
      actor: "local:manuel",
      userAgent: expect.stringMatching(
        `^mawps/${version} node/${process.versions.node} ${process.platform} model/MAWPS@[0-9a-f]{12}$`,
      ) as string,
      timestamp: expect.stringMatching(/^2026-03-01T12:\d\d:\d\d\.\d{3}Z$/) as string,
      details: { bucket: publicBucket, key: set.key, sha256: set.sha256, sizeBytes: set.bytes, width: 64 },
    });
    expect(found.at(-2)?.details).toMatchObject({ key: set.hover.key });
    expect(await done("audit", "verify")).toContain("anchored up to entry 7; not yet anchored: 0");
  });

  it("write nothing to it with --dry-run", async () => {
    await done("hero", "set", "photo.jpg");
    home.calls.length = 0;
    for (const argv of [["set", "photo.jpg"], ["rollback"], ["rm"]]) {
      await home.run(["hero", ...argv, "--dry-run"]);
    }
    expect(home.calls.filter(({ command }) => /Put|Update|Delete|Batch|Transact/.test(command))).toEqual([]);
    expect(await chain()).toHaveLength(1);
  });

  it("write nothing to it when they are declined, or have nothing to change", async () => {
    await done("hero", "rm", "--yes");
    await done("hero", "set", "photo.jpg");
    const { exitCode } = await home.run(["hero", "rm"], { answers: [false] });
    expect(exitCode).toBe(1);
    await done("setup", "--yes");
    expect(await chain()).toHaveLength(1);
  });

  it("stop before they begin when its table is missing", async () => {
    await done("hero", "set", "photo.jpg", "--hover", "hover.jpg");
    const before = [
      await keysIn(publicBucket),
      await home.look((aws) => ownerItem(aws, "mawps-user-profiles", "simple")),
    ];
    await home.look((aws) => removeTable({ aws, table, bucket: privateBucket }));
    for (const argv of [
      ["set", "hover.jpg"],
      ["rollback", "--hover"],
      ["rm", "--yes"],
    ]) {
      const { exitCode, stdout, stderr } = await home.run(["hero", ...argv]);
      expect([exitCode, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(
        "nothing was changed: the audit trail cannot be written: table mawps-audit-log does not",
      );
      expect(stderr).toMatch(/hint: .*mawps setup.*MAWPS_AUDIT=off/);
    }
    expect([
      await keysIn(publicBucket),
      await home.look((aws) => ownerItem(aws, "mawps-user-profiles", "simple")),
    ]).toEqual(before);

    await done("setup", "--yes");
    await done("hero", "rm", "--yes");
    expect((await chain()).map(({ action }) => action)).toEqual([
      "setup.applied",
      "hero.removed",
      "hero.removed",
    ]);
  });

  it("stop before they begin when its table has other keys", async () => {
    const env = { MAWPS_AUDIT_LOG_TABLE: "mawps-user-profiles" };
    const { exitCode, stderr } = await home.run(["hero", "set", "photo.jpg"], { env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("table mawps-user-profiles has not the keys of an audit trail");
    expect(await keysIn(publicBucket)).toEqual([]);
  });

  it("go on without a trail when the configuration says so", async () => {
    const env = { MAWPS_AUDIT: "off" };
    expect((await home.run(["hero", "set", "photo.jpg"], { env })).exitCode).toBe(0);
    expect((await home.run(["hero", "rm", "--yes"], { env })).exitCode).toBe(0);
    await writeFile(join(home.folder, "mawps.config.json"), '{"audit": "off"}');
    await done("hero", "set", "photo.jpg");
    expect([await chain(), await keysIn(privateBucket)]).toEqual([[], []]);
    const wrong = await home.run(["hero", "show"], { env: { MAWPS_AUDIT: "maybe" } });
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining("one of on, off")]);
  });

  it("keep an entry as long as the configuration says, never shorter than the one before", async () => {
    const keep = (days: string) =>
      home.run(["hero", "set", "photo.jpg"], { env: { MAWPS_RETENTION_AUDIT_ENTRIES: days } });
    for (const days of ["30", "10", "off"]) expect((await keep(days)).exitCode).toBe(0);
    const ttls = (await chain()).map(({ timestamp, ttl }) =>
      Math.round((Number(ttl) - Date.parse(String(timestamp)) / 1000) / 86_400),
    );
    expect(ttls).toEqual([30, 30, 365_250]);
    await done("audit", "verify");
  });

  it("tell of a setup what it did, before and after", async () => {
    await done("hero", "set", "photo.jpg");
    await home.look(async (aws) => {
      const { DeletePublicAccessBlockCommand } = await import("@aws-sdk/client-s3");
      const s3 = await aws.s3();
      await s3.send(new DeletePublicAccessBlockCommand({ Bucket: privateBucket }));
    });
    await done("setup", "--fix", "--yes");
    const told = (await entries("--action", "setup.applied")).map(({ details }) => details);
    expect(told).toMatchObject([
      { phase: "done", done: 1, failed: 0 },
      { phase: "begun", steps: [expect.stringContaining(`bucket ${privateBucket}: public access block`)] },
    ]);
  });
});

describe("audit list", () => {
  beforeEach(async () => {
    await done("hero", "set", "photo.jpg", "--hover", "hover.jpg");
    await done("hero", "rm", "--hover", "--yes");
  });

  it("prints a line for each entry, newest first", async () => {
    const [head, ...lines] = (await done("audit", "list")).trimEnd().split("\n");
    expect(head?.split(/ {2,}/)).toEqual(["TIME", "ACTION", "USER", "ACTOR", "DETAILS"]);
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(
      /^2026-03-01 \d\d:\d\d:\d\d {2}hero\.removed {2}owner {2}local:manuel {2}role=hover .*phase=done$/,
    );
  });

  it("prints no more than it is asked for, and rows for a spreadsheet", async () => {
    const csv = (await done("audit", "list", "--csv", "--limit", "2")).split("\r\n");
    expect([csv.length, csv[0]]).toEqual([4, "time,action,user,actor,sequence,details,userAgent"]);
    expect(csv[1]).toMatch(/^2026-03-01T\S+Z,hero\.removed,owner,local:manuel,4,"\{""role"":""hover""/);
    expect((await entries("--limit", "1")).map(({ sequence }) => sequence)).toEqual([4]);
  });

  it("is summed up in a report, whose page has everything foreign as text", async () => {
    await done("audit", "verify", "--acknowledge", "<b>none</b>");
    const text = await done("audit", "report", "--html", "report.html");
    expect(text).toMatch(/actions +hero\.changed 2, hero\.removed 1/);
    expect(text).toMatch(/trail +sound/);
    const page = await readFile(join(home.folder, "report.html"), "utf8");
    expect(page).toMatch(/4 entries.*Yes: every entry/s);
    expect(page).not.toMatch(/<script|<b>/);
    const dry = await home.run(["audit", "report", "--html", "dry.html", "--dry-run"]);
    expect([dry.stdout, dry.stderr]).toEqual([
      expect.not.stringContaining("dry.html"),
      expect.stringContaining("would write"),
    ]);
    await expect(readFile(join(home.folder, "dry.html"))).rejects.toThrow("ENOENT");
    const again = await home.run(["audit", "report", "--html", "report.html"]);
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining("already exists")]);
  });

  it.each([
    { name: "a user", filter: ["--user", "owner"], sequences: [4, 3, 2, 1] },
    { name: "somebody without entries", filter: ["--user", "somebody"], sequences: [] },
    { name: "an action", filter: ["--action", "hero.changed"], sequences: [2, 1] },
    { name: "both", filter: ["--user", "owner", "--action", "hero.removed"], sequences: [4, 3] },
    { name: "a day", filter: ["--since", "2026-03-01", "--until", "2026-03-01"], sequences: [4, 3, 2, 1] },
    { name: "an age", filter: ["--since", "1d"], sequences: [4, 3, 2, 1] },
    { name: "a later day", filter: ["--since", "2026-03-02"], sequences: [] },
    { name: "a time before", filter: ["--until", "2026-03-01T11:59Z"], sequences: [] },
  ])("finds by $name", async ({ filter, sequences }) => {
    expect((await entries(...filter)).map(({ sequence }) => sequence)).toEqual(sequences);
  });

  it.each([
    ["--since", "2026-02-30"],
    ["--since", "yesterday"],
    ["--until", "2026-13-01"],
    ["--user", ""],
    ["--action", ""],
    ["--action", "hero.change"],
    ["--action", "erased"],
    ["--limit", "0"],
    ["--limit", "many"],
  ])("refuses %s %j", async (flag, value) => {
    const { exitCode, stdout } = await home.run(["audit", "list", flag, value]);
    expect([exitCode, stdout]).toEqual([2, ""]);
  });
});

it("says which action was meant", async () => {
  const { stderr } = await home.run(["audit", "list", "--action", "hero.change"]);
  expect(stderr).toContain("did you mean hero.changed?");
});

/** What somebody can do who may write to table and bucket: another chain behind entry `last`, whose beginning "has expired". */
function forgeBehind(last: number): Promise<void> {
  return home.look(async (aws) => {
    const place = { aws, table, bucket: privateBucket };
    const dynamodb = await aws.dynamodb();
    for (let sequence = 1; sequence <= last; sequence += 1) {
      const Key = { chain: { S: "main" }, sequence: { N: String(sequence) } };
      await dynamodb.send(new DeleteItemCommand({ TableName: table, Key }));
    }
    for await (const page of listVersions(aws, { bucket: privateBucket, prefix: trailPrefix(place) }))
      for (const { key, version: at } of page)
        await deleteObject(aws, { bucket: privateBucket, key, version: at });
    const now = new Date("2026-03-01T12:00:00.000Z");
    const head = { sequence: last, hash: "ab".repeat(32), timestamp: now.toISOString(), ttl: 1 };
    const about = {
      actor: "local:manuel",
      userAgent: "mawps",
      retentionDays: 365,
      newId: randomUUID,
      now: () => now,
    };
    const forged = chained(head, [{ action: "hero.changed", details: {} }], { ...about, ...newSigner() });
    await putNew(aws, { table, partition: "chain", records: forged.map((entry) => ({ ...entry })) });
    for (const entry of forged) {
      await writeAnchor(place, entry, undefined);
      await keepAnchor(place, entry);
    }
  });
}

interface Page {
  readonly status: number;
  readonly location?: string;
  readonly body?: string;
}

/** A server of pages on this machine, by another name for itself too, and what it was asked for. */
async function pages(answer: (path: string, other: string) => Page | undefined) {
  const asked: string[] = [];
  let other = "";
  const server = createServer(({ url = "" }, response) => {
    asked.push(url);
    const page = answer(url, other);
    // One that never answers.
    if (page === undefined) return;
    const { status, location, body } = page;
    response.writeHead(status, location === undefined ? {} : { location }).end(body);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  other = `http://localhost:${port}`;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

describe("anchors in a bucket of their own", () => {
  const Bucket = "vault-of-another-account";
  const env = { MAWPS_ANCHOR_BUCKET: Bucket, MAWPS_ANCHOR_LOCK: "governance" };
  it("are written, locked until their entry ends and believed there alone", async () => {
    await home.look(async (aws) => {
      const s3 = await aws.s3();
      await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    });
    const puts: {
      Key?: string;
      ObjectLockMode?: string;
      ObjectLockRetainUntilDate?: Date;
      IfNoneMatch?: string;
    }[] = [];
    home.beforeCall = async (command, input) => {
      if (command === "PutObjectCommand") puts.push(input as (typeof puts)[number]);
    };
    const set = await home.run(["hero", "set", "photo.jpg"], { env });
    home.beforeCall = undefined;
    expect([set.exitCode, set.exitCode === 0 ? "" : set.stderr]).toEqual([0, ""]);
    const [entry] = await chain();
    const locked = puts.filter(({ Key = "" }) => Key.includes("/anchors/"));
    expect(locked).toMatchObject([
      {
        IfNoneMatch: "*",
        ChecksumAlgorithm: "CRC32",
        ObjectLockMode: "GOVERNANCE",
        ObjectLockRetainUntilDate: new Date(Number(entry?.["ttl"]) * 1000),
      },
    ]);
    const others = puts.filter(({ Key = "" }) => !Key.includes("/anchors/"));
    expect([others.length > 1, others.filter(({ ObjectLockMode }) => ObjectLockMode !== undefined)]).toEqual([
      true,
      [],
    ]);
    expect(await keysIn(privateBucket)).toEqual([]);
    expect(await keysIn(Bucket)).toEqual([
      expect.stringMatching(/\/anchors\/0{15}1-/),
      expect.stringContaining("/claims/"),
      `audit/${table}/main.json`,
    ]);
    expect((await home.run(["audit", "verify"], { env })).exitCode).toBe(0);
    expect((await home.run(["doctor"], { env })).stdout).toMatch(
      /audit trail.*entry 1 is the last, anchored/,
    );
    const elsewhere = await home.run(["audit", "verify"]);
    expect([elsewhere.exitCode, elsewhere.stdout]).toEqual([4, expect.stringContaining("ANCHOR")]);
  });

  it("are asked to be locked of no bucket that cannot: nothing is changed, and doctor tells", async () => {
    await home.look(async (aws) => {
      const s3 = await aws.s3();
      await s3.send(new CreateBucketCommand({ Bucket }));
      const on = { Status: "Enabled" } as const;
      await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: on }));
    });
    const set = await home.run(["hero", "set", "photo.jpg"], { env });
    expect([set.exitCode, set.stdout]).toEqual([1, ""]);
    expect(set.stderr).toContain(`nothing was changed: anchorLock is governance, and ${Bucket} has no S3`);
    expect([await keysIn(Bucket), await keysIn(publicBucket), await chain()]).toEqual([[], [], []]);
    const doctor = await home.run(["doctor", "--json"], { env });
    expect(doctor.stdout).toMatch(/"subject":"vault-of-another-account","status":"problem"/);
  });

  it("are not begun anew in a bucket that a setting names, while they lie in another", async () => {
    await done("hero", "set", "photo.jpg");
    const claims = await keysIn(publicBucket);
    const moved = { MAWPS_ANCHOR_BUCKET: Bucket };
    await home.look(async (aws) => {
      await (await aws.s3()).send(new CreateBucketCommand({ Bucket }));
    });
    const refused = await home.run(["hero", "set", "hover.jpg"], { env: moved });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`and ${Bucket} (anchorBucket) holds none of its anchors`);
    expect(refused.stderr).toContain(
      `aws s3 sync s3://<bucket that has them>/audit/${table}/ s3://${Bucket}/`,
    );
    expect([await keysIn(Bucket), await keysIn(publicBucket), (await chain()).length]).toEqual([
      [],
      claims,
      1,
    ]);
    const kept = await keysIn(privateBucket);
    await home.look(async (aws) => {
      for (const key of kept) {
        const { bytes = Buffer.alloc(0) } = await getSmallObject(aws, {
          bucket: privateBucket,
          key,
          maxBytes: 4096,
        });
        await putObject(aws, { bucket: Bucket, key, body: bytes });
      }
    });
    const gone = await home.run(["hero", "set", "hover.jpg"], { env: moved });
    expect([gone.exitCode, gone.exitCode === 0 ? "" : gone.stderr]).toEqual([0, ""]);
    expect((await home.run(["audit", "verify"], { env: moved })).exitCode).toBe(0);
  });

  it("that are lost are made anew with a warning", async () => {
    await done("hero", "set", "photo.jpg");
    await home.look(async (aws) => {
      for await (const page of listVersions(aws, { bucket: privateBucket }))
        for (const { key, version: of } of page)
          await deleteObject(aws, { bucket: privateBucket, key, version: of });
    });
    const { exitCode, stderr } = await home.run(["hero", "set", "hover.jpg"]);
    expect([exitCode, stderr]).toEqual([
      0,
      expect.stringContaining(`the anchor of the audit trail in ${privateBucket} is gone: made anew`),
    ]);
    expect((await chain()).map(({ action }) => action)).toContain("audit.anchor-lost");
  });

  it("lie in no bucket that everybody reads", async () => {
    for (const argv of [["hero", "set", "photo.jpg"], ["doctor"], ["audit", "verify"]]) {
      const { exitCode, stderr } = await home.run(argv, { env: { MAWPS_ANCHOR_BUCKET: publicBucket } });
      expect([argv, exitCode]).toEqual([argv, 2]);
      expect(stderr).toContain(`anchorBucket: ${publicBucket} is the site's public bucket`);
    }
    expect(await keysIn(publicBucket)).toEqual([]);
  });
});

describe("an anchor that is kept outside", () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const env = { MAWPS_AUDIT_KEY: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
  const verify = (at: TestHome, ...argv: string[]) => at.run(["audit", "verify", ...argv], { env });

  it("shows a history that was written anew with its anchors, and one that ends too early", async () => {
    await done("hero", "set", "photo.jpg");
    const forged = await home.copy();
    try {
      await done("hero", "set", "hover.jpg");
      const { exitCode, stdout } = await home.run(["audit", "anchor", "--json"], { env });
      expect(exitCode).toBe(0);
      const { line, sequence, hash } = JSON.parse(stdout) as { line: string; sequence: number; hash: string };
      expect(stdout).not.toContain("PRIVATE");
      await writeFile(join(home.folder, "anchors.txt"), `${line}\n`);
      const sound = [
        ["--anchor", line],
        ["--anchor", "anchors.txt"],
        ["--expect", `${sequence}:${hash}`],
      ];
      for (const argv of sound) expect([argv, (await verify(home, ...argv)).exitCode]).toEqual([argv, 0]);
      // Who may write everything goes back to what was before.
      const cut = await verify(forged, "--anchor", line);
      expect([cut.exitCode, cut.stdout]).toEqual([
        4,
        expect.stringContaining(`OUTSIDE   entry ${sequence}: is gone`),
      ]);
      await forged.run(["hero", "set", "hover.jpg"]);
      expect((await verify(forged)).exitCode).toBe(0);
      for (const argv of [
        ["--anchor", line],
        ["--expect", `${sequence}:${hash}`],
      ]) {
        const { exitCode: code, stdout: told } = await verify(forged, ...argv);
        expect([code, told]).toEqual([4, expect.stringContaining(`OUTSIDE   entry ${sequence}: is another`)]);
      }
    } finally {
      await forged.remove();
    }
  });

  it("is read from a page, by that server alone, and what opens the page is told nobody", async () => {
    await done("hero", "set", "photo.jpg");
    const line = (await home.run(["audit", "anchor"], { env })).stdout.trim();
    await using server = await pages((path, other) => {
      if (path === "/anchors?key=geheim") return { status: 200, body: `\uFEFF${line}\n` };
      if (path === "/here") return { status: 302, location: "/anchors?key=geheim" };
      if (path === "/away") return { status: 302, location: `${other}/anchors?key=geheim` };
      if (path === "/round") return { status: 307, location: "/round" };
      if (path === "/empty") return { status: 200, body: "\n" };
      if (path === "/page-behind") return { status: 200, body: `${line}\n\n<html>geheim` };
      if (path === "/large") return { status: 200, body: "x".repeat(17 * 1024 ** 2) };
      return path === "/page" ? { status: 200, body: "<html>geheim" } : { status: 404 };
    });
    const at = (path: string) => verify(home, "--anchor", `${server.url}${path}`);
    for (const path of ["/anchors?key=geheim", "/here"])
      expect([path, (await at(path)).exitCode]).toEqual([path, 0]);
    for (const [path, exitCode, why] of [
      ["/away?geheim", 1, "answers 404"],
      ["/away", 1, "sends on to"],
      ["/round", 1, "again and again"],
      ["/large", 1, "more than the 16.8 MB"],
      ["/page", 1, `line 1 of ${server.url} is no line of`],
      ["/page-behind", 1, `line 3 of ${server.url} is no line of`],
      ["/empty", 1, `there are no anchors in ${server.url}`],
    ] as const) {
      const { exitCode: code, stdout, stderr } = await at(path);
      expect([path, code, stdout]).toEqual([path, exitCode, ""]);
      expect(stderr).toContain(why);
      expect(stderr).not.toMatch(/geheim|is not proved/);
    }
    expect(server.asked.filter((path) => path === "/round").length).toBe(6);
    await done("hero", "set", "hover.jpg");
    expect((await at("/here")).exitCode).toBe(0);
  });

  it("is waited for no longer than for all of a page", async () => {
    await using server = await pages((path) => (path === "/never" ? undefined : { status: 404 }));
    const limits = { pageMs: 100 };
    const { exitCode, stderr } = await home.run(["audit", "verify", "--anchor", `${server.url}/never`], {
      limits,
    });
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining(`${server.url} did not answer to the end within 0.1 seconds`),
    ]);
  });

  it("believes no trail that says of itself that what was noted has expired, until the signed time is over", async () => {
    const short = { MAWPS_RETENTION_AUDIT_ENTRIES: "30" };
    await home.run(["hero", "set", "photo.jpg"], { env: short });
    const first = await chain();
    await home.run(["hero", "set", "hover.jpg"], { env: short });
    const { line, sequence, hash } = JSON.parse(
      (await home.run(["audit", "anchor", "--json"], { env })).stdout,
    ) as { line: string; sequence: number; hash: string };
    await forgeBehind(sequence);
    expect(await done("audit", "verify")).toContain(`${sequence} entries expired`);
    const expected = ["--expect", `${sequence}:${hash}`];
    for (const argv of [["--anchor", line], expected]) {
      const { exitCode, stdout } = await verify(home, ...argv);
      expect([exitCode, stdout]).toEqual([
        4,
        expect.stringContaining(`OUTSIDE   entry ${sequence}: is gone, and nothing from outside proves`),
      ]);
    }
    home.laterMs = 31 * 86_400_000;
    // What is signed of an entry holds for those before it.
    const before = ["--expect", `1:${String(first[0]?.["hash"])}`];
    for (const argv of [
      ["--anchor", line],
      [...before, "--anchor", line],
    ])
      expect([argv, (await verify(home, ...argv)).exitCode]).toEqual([argv, 0]);
    expect((await verify(home, ...expected)).exitCode).toBe(4);
  });

  it("is refused where it was changed, or signed by somebody else; without a key nobody vouches for it", async () => {
    await done("hero", "set", "photo.jpg");
    const line = (await home.run(["audit", "anchor"], { env })).stdout.trim();
    const changed = line.replace(/ (\d+) /, (_, number: string) => ` ${Number(number) + 1} `);
    const one = await verify(home, "--anchor", changed);
    expect([one.exitCode, one.stderr]).toEqual([
      1,
      expect.stringContaining("the anchor is not what was signed; the trail was not compared with it"),
    ]);
    const other = await verify(home, "--anchor", line, "--public-key", "0".repeat(64));
    expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining("another key")]);
    const elsewhere = await home.run(["audit", "verify", "--anchor", line], {
      env: { ...env, MAWPS_AUDIT_LOG_TABLE: "another-log" },
    });
    expect([elsewhere.exitCode, elsewhere.stdout]).toEqual([1, ""]);
    expect(elsewhere.stderr).toContain(
      `an anchor is of the table ${table}, and this trail is in another-log`,
    );
    const unknown = await home.run(["audit", "verify", "--anchor", line]);
    expect([unknown.exitCode, unknown.stderr]).toEqual([0, expect.stringContaining("is not proved")]);
  });

  it.each([
    { argv: ["anchor"], exitCode: 2, why: "there is no key to sign with" },
    { argv: ["anchor", "--key", "none.key"], exitCode: 2, why: "there is no file" },
    { argv: ["anchor", "--key", " "], exitCode: 2, why: "expected a file, or kms:" },
    { argv: ["anchor", "--key", "kms:"], exitCode: 2, why: "expected a file, or kms:" },
    { argv: ["anchor", "--key", "photo.jpg"], exitCode: 2, why: "holds no private key of Ed25519" },
    { argv: ["anchor", "--key", "kms:alias/a"], exitCode: 2, why: "the local store has none" },
    { argv: ["anchor", "--key", "a.key", "--public-key", "ab"], exitCode: 2, why: "64 hex digits" },
    { argv: ["verify", "--expect", "1:abc"], exitCode: 2, why: "expected a number" },
    { argv: ["verify", "--acknowledge", "seen", "--anchor", "a"], exitCode: 2, why: "cannot be used with" },
    {
      argv: ["verify", "--acknowledge", "seen", "--expect", `1:${"0".repeat(64)}`],
      exitCode: 2,
      why: "cannot be used with",
    },
    { argv: ["verify", "--anchor", "none.txt"], exitCode: 2, why: "there is no file" },
    { argv: ["verify", "--anchor", "http://example.com/a"], exitCode: 2, why: "neither https, nor http on" },
    { argv: ["verify", "--anchor", "https://me:geheim@localhost/"], exitCode: 2, why: "a password in it" },
    { argv: ["verify", "--anchor", "http://127.0.0.1:1/"], exitCode: 1, why: "cannot be reached" },
    { argv: ["verify", "--anchor", "photo.jpg"], exitCode: 1, why: "line 1 of photo.jpg is no line of" },
    { argv: ["verify", "--anchor", ""], exitCode: 2, why: "expected a line, a file or a URL" },
  ])("ends with $exitCode for $argv", async ({ argv, exitCode, why }) => {
    const run = await home.run(["audit", ...argv]);
    expect([run.exitCode, run.stderr]).toEqual([exitCode, expect.stringContaining(why)]);
    expect(run.stderr).not.toContain("is not proved");
  });

  it("is not signed over a trail that has faults", async () => {
    await done("hero", "set", "photo.jpg");
    await home.look(async (aws) => {
      const Key = { chain: { S: "main" }, sequence: { N: "1" } };
      await (await aws.dynamodb()).send(new DeleteItemCommand({ TableName: table, Key }));
    });
    const { exitCode, stdout, stderr } = await home.run(["audit", "anchor"], { env });
    expect([exitCode, stdout, stderr]).toEqual([4, "", expect.stringContaining("nothing was signed")]);
  });
});

it("lists an entry between two words on a narrow terminal, where a row does not fit", async () => {
  await done("hero", "set", "photo.jpg");
  const { exitCode, stdout } = await home.run(["audit", "list"], { columns: 50 });
  expect(exitCode).toBe(0);
  const lines = stdout.trimEnd().split("\n");
  expect(lines.map((line) => line.slice(0, 9).trim())).toEqual(
    expect.arrayContaining(["TIME", "ACTION", "USER", "ACTOR", "DETAILS", ""]),
  );
  const broken = lines.filter((line) => line.length > 50 && /\S +\S/.test(line.slice(9)));
  expect(broken).toEqual([]);
});

it("tells of reads that take personal data out", async () => {
  await writeFile(join(home.folder, "cv.pdf"), "%PDF-1.4\n%%EOF\n");
  await writeFile(
    join(home.folder, "progress.json"),
    JSON.stringify({
      pages: {
        ikigai: {
          firstVisit: "2025-11-13T19:00:00.000Z",
          lastVisit: "2025-11-13T19:00:00.000Z",
          visitCount: 1,
          completionPercentage: 10,
        },
      },
    }),
  );
  await done("doc", "upload", "user-1", "cv.pdf", "--type", "cv", "--create-profile");
  await done("progress", "import", "user-1", "progress.json");
  await done("doc", "get", "user-1", "--all", "-o", "got", "--dry-run");
  const before = (await chain()).length;
  await done("doc", "get", "user-1", "--all", "-o", "got");
  await done("progress", "export", "user-1");
  await done("progress", "export");
  expect((await chain()).slice(before).map(({ action, userId }) => [action, userId])).toEqual([
    ["document.downloaded", "user-1"],
    ["progress.exported", "user-1"],
    ["progress.exported", undefined],
  ]);
});

describe("audit verify", () => {
  it("ends with 0, and with 4 after one changed byte, naming the entry", async () => {
    await done("hero", "set", "photo.jpg");
    await done("hero", "set", "hover.jpg");
    await done("audit", "verify");
    await home.look(async (aws) => {
      const dynamodb = await aws.dynamodb();
      const query = { table, partition: { attribute: "chain", value: { S: "main" } } };
      for await (const [first] of queryItems(aws, query)) {
        const Item = { ...first, actor: { S: "local:manuek" } };
        await dynamodb.send(new PutItemCommand({ TableName: table, Item }));
      }
    });
    const report = await home.run(["audit", "report", "--html", "report.html"]);
    expect([report.exitCode, report.stdout]).toEqual([4, expect.stringMatching(/trail +1 fault/)]);
    expect(await readFile(join(home.folder, "report.html"), "utf8")).toContain("No: 1 fault.");
    const people = await home.run(["audit", "verify"]);
    expect([people.exitCode, people.stdout]).toEqual([
      4,
      [
        "EDITED    entry 1: is not what its hash says",
        "2 entries, from 1 to 2",
        "anchored up to entry 2; not yet anchored: 0",
        "",
      ].join("\n"),
    ]);
    expect(people.stderr).toContain("the audit trail has 1 fault");
    const json = await home.run(["audit", "verify", "--json"]);
    expect(json.exitCode).toBe(4);
    expect(
      json.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      {
        fault: "edited",
        sequence: 1,
        what: "is not what its hash says",
        id: expect.stringMatching(/^edited 1 [0-9a-f]{16}$/) as string,
      },
      {
        entries: 2,
        first: 1,
        last: 2,
        anchored: 2,
        notAnchored: 0,
        expired: 0,
        interrupted: 0,
        acknowledged: 0,
        faults: 1,
      },
    ]);
  });

  it("tells no more of what was acknowledged, by an entry that says why, but of what is new", async () => {
    await done("hero", "set", "photo.jpg");
    await done("hero", "set", "hover.jpg");
    const remove = (sequence: number) =>
      home.look(async (aws) => {
        const Key = { chain: { S: "main" }, sequence: { N: String(sequence) } };
        await (await aws.dynamodb()).send(new DeleteItemCommand({ TableName: table, Key }));
      });
    await remove(1);
    const acknowledge = ["audit", "verify", "--acknowledge", "removed by hand"];
    const dry = await home.run([...acknowledge, "--dry-run"]);
    expect([dry.exitCode, dry.stderr]).toEqual([0, expect.stringContaining("would acknowledge 1 finding")]);
    const unasked = await home.run(acknowledge);
    expect([unasked.exitCode, unasked.stderr]).toEqual([1, expect.stringContaining("pass --yes")]);
    expect(await chain()).toHaveLength(1);

    const problems: unknown[] = [];
    home.beforeCall = async (name, input) => {
      if (name !== "PutMetricDataCommand") return;
      const { MetricData = [] } = input as PutMetricDataCommandInput;
      problems.push(MetricData.find(({ MetricName }) => MetricName === "Problems")?.Value);
    };
    const told = await home.run([...acknowledge, "--yes"], {
      env: { USER: "manuel", MAWPS_METRICS_NAMESPACE: "Site" },
    });
    home.beforeCall = undefined;
    expect(told.stdout).toContain("MISSING   entry 1: is missing");
    // What is answered is none any more.
    expect(problems).toEqual([0]);
    expect((await chain()).at(-1)).toMatchObject({
      sequence: 3,
      action: "audit.acknowledged",
      actor: "local:manuel",
      details: { reason: "removed by hand", steps: ["missing 1-1"] },
    });
    expect(await done("audit", "verify")).toContain("acknowledged: 1");
    await remove(2);
    const other = await home.run(["audit", "verify"]);
    expect([other.exitCode, other.stdout]).toEqual([
      4,
      expect.stringContaining("entry 1: up to 2 are missing"),
    ]);
  });

  it("tells of a change that an announced run left without an outcome, without calling it a fault", async () => {
    await done("hero", "set", "photo.jpg");
    const claim = {
      actor: "local:manuel",
      changes: [
        { change: 1, event: { action: "hero.changed" as const, userId: "owner", details: { key: "k.jpg" } } },
      ],
    };
    await home.look((aws) => writeClaim({ aws, table, bucket: privateBucket }, "ab".repeat(32), claim));
    const told = await done("audit", "verify");
    expect(told).toMatch(
      /^INTERRUPTED  claim abababababababab:1: hero.changed of owner by local:manuel, begun 2026-03-01T12:0.*Z, has no outcome: key=k.jpg$/m,
    );
    expect(told).toContain("1 change without an outcome: interrupted, or under way");
    await done("audit", "verify", "--acknowledge", "the picture was not set", "--yes");
    expect(await done("audit", "verify")).not.toContain("INTERRUPTED");
  });

  it("has nothing to say against a trail that has not begun", async () => {
    expect(await done("audit", "verify")).toBe("0 entries\nno anchor yet\n");
  });
});

describe("audit export", () => {
  it("writes what is stored, to stdout or into a new file", async () => {
    await done("hero", "set", "photo.jpg", "--hover", "hover.jpg");
    const stdout = await done("audit", "export");
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(await chain());
    expect(await done("audit", "export", "-o", "trail.ndjson")).toContain("2 entries written to");
    expect(await readFile(join(home.folder, "trail.ndjson"), "utf8")).toBe(stdout);
    const again = await home.run(["audit", "export", "-o", "trail.ndjson"]);
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining("already exists")]);
    expect(await done("audit", "export", "-o", "other.ndjson", "--dry-run")).toContain(
      "would write 2 entries",
    );
    await expect(readFile(join(home.folder, "other.ndjson"))).rejects.toThrow("ENOENT");
  });
});
