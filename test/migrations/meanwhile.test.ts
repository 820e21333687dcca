import { randomBytes } from "node:crypto";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AttributeValue, Item } from "../../src/aws/dynamodb/items.ts";
import type { Hold } from "../../src/audit/holds.ts";
import { keyedHash } from "../../src/model/hash.ts";
import { itemSizeBytes } from "../../src/aws/dynamodb/item-size.ts";
import { deleteAllVersions } from "../../src/aws/s3/deletion.ts";
import { listVersions, type ListedVersion } from "../../src/aws/s3/listing.ts";
import { deleteObject } from "../../src/aws/s3/objects.ts";
import { documentUrl } from "../../src/documents/site.ts";
import { applyMigration, type Applied } from "../../src/migrations/apply.ts";
import { migrations, type Registered } from "../../src/migrations/registry.ts";
import { revertMigration, type Reverted } from "../../src/migrations/revert.ts";
import { readStates, type MigrationState } from "../../src/migrations/state.ts";
import type { MigrationSite } from "../../src/migrations/migration.ts";
import { documentBucket as bucket, profileTable, readItem } from "../support/documents.ts";
import { foreignAttributes } from "../support/owner-item.ts";
import { openSite, type OpenedSite } from "./open-site.ts";
import { everything, putObjectOf, putWebsiteData, versions, websiteEntry } from "./stored.ts";

let opened: OpenedSite;

beforeEach(async () => {
  opened = await openSite("simple");
});

afterEach(() => opened.close());

const key = "public/documents/user-1/cv/1734384121711-cv.pdf";
const oldKey = "users/user-1/documents/cv/1734384121711-cv.pdf";

function registered(number: string): Registered {
  const found = migrations.find(({ migration: { id } }) => id.startsWith(number));
  if (found === undefined) throw new Error(`no migration ${number}`);
  return found;
}

async function stateOf(number: string): Promise<MigrationState | undefined> {
  const { id } = registered(number).migration;
  return (await readStates(opened.site, [id])).get(id);
}

async function up(number: string, site: MigrationSite = opened.site): Promise<Applied> {
  const runner = await opened.runner(site);
  try {
    return await applyMigration(runner, registered(number), await stateOf(number));
  } finally {
    await runner.lock.release();
  }
}

async function down(number: string): Promise<Reverted> {
  const state = await stateOf(number);
  if (state === undefined) throw new Error(`${number} was never begun`);
  const runner = await opened.runner(opened.site);
  try {
    return await revertMigration(runner, registered(number).migration, state);
  } finally {
    await runner.lock.release();
  }
}

async function put(item: Item): Promise<void> {
  const Item = { userId: { S: "user-1" }, type: { S: "user-profile" }, ...item };
  await (await opened.aws.dynamodb()).send(new PutItemCommand({ TableName: profileTable, Item }));
}

/** A page of the website loads the profile, changes it and puts it back whole. */
async function save(change: (item: Item) => Item): Promise<void> {
  const item = (await readItem(opened.aws, "user-1", "simple")) ?? {};
  await put({ ...item, ...change(item) });
}

function documentsOf(item: Item | undefined): readonly AttributeValue[] {
  return item?.["documents"]?.L ?? [];
}

async function list(prefix: string): Promise<ListedVersion[]> {
  const all: ListedVersion[] = [];
  for await (const page of listVersions(opened.aws, { bucket, prefix })) all.push(...page);
  return all;
}

const withEntry = (id: string) => (item: Item) => ({
  documents: { L: [...documentsOf(item), websiteEntry(id, key)] },
});

describe("a website that writes meanwhile", () => {
  beforeEach(async () => {
    await putObjectOf(opened.aws, key, "%PDF-1 eins", "application/pdf");
    await putObjectOf(opened.aws, oldKey, "%PDF-1 alt", "application/pdf");
    await put({ documents: { L: [websiteEntry("doc-1", key)] } });
  });

  it("keeps what it changed elsewhere in the profile, forwards and back", async () => {
    opened.beforeUpdate = () => save(() => ({ progress: { S: "step 1" } }));
    expect(await up("0001")).toMatchObject({ counts: { changed: 1 }, unfinished: [] });
    opened.beforeUpdate = () => save(() => ({ progress: { S: "step 2" } }));
    expect(await down("0001")).toMatchObject({ counts: { changed: 1 }, conflicts: [] });
    expect(await readItem(opened.aws, "user-1", "simple")).toEqual({
      userId: { S: "user-1" },
      type: { S: "user-profile" },
      progress: { S: "step 2" },
      documents: { L: [websiteEntry("doc-1", key)] },
    });
  });

  it("is not written over where it changed the documents: it is planned anew, and goes back to what the website wrote", async () => {
    let left = 2;
    opened.beforeUpdate = async () => {
      if (left > 0) await save(withEntry(`new-${left--}`));
    };
    expect(await up("0001")).toMatchObject({ counts: { changed: 1 }, unfinished: [] });
    const item = await readItem(opened.aws, "user-1", "simple");
    expect(documentsOf(item).map(({ M }) => [M?.["id"]?.S, M?.["status"]?.S])).toEqual([
      ["doc-1", "READY"],
      ["new-2", "READY"],
      ["new-1", "READY"],
    ]);
    expect(await down("0001")).toMatchObject({ counts: { changed: 1 }, conflicts: [] });
    const ids = ["doc-1", "new-2", "new-1"];
    expect(documentsOf(await readItem(opened.aws, "user-1", "simple"))).toEqual(
      ids.map((id) => websiteEntry(id, key)),
    );
  });

  it("and never stops is reported; nothing of an object is lost, and the next run finishes it", async () => {
    await put({ documents: { L: [websiteEntry("doc-1", oldKey)] } });
    let saves = 0;
    opened.beforeUpdate = () => save(withEntry(`new-${saves++}`));
    expect(await up("0004")).toMatchObject({ unfinished: [{ userId: "user-1", what: "doc-1" }] });
    expect(await stateOf("0004")).toMatchObject({ status: "applying" });
    expect(Object.keys((await everything(opened.aws)).objects)).toEqual([key, oldKey]);
    opened.beforeUpdate = undefined;
    expect(await up("0004")).toMatchObject({ counts: { objects: 1 }, unfinished: [] });
    expect(await stateOf("0004")).toMatchObject({ status: "applied" });
    expect(Object.keys((await everything(opened.aws)).objects)).toEqual([
      expect.stringMatching(/-[\da-f]{8}\.pdf$/),
      key,
    ]);
  });

  it("with a page that puts a moved object's former key back gets the new key again", async () => {
    const stale = { documents: { L: [websiteEntry("doc-1", oldKey)] } };
    await put(stale);
    const before = await everything(opened.aws);
    await up("0004");
    const moved = await everything(opened.aws);
    const state = await stateOf("0004");
    await put(stale);
    const runner = await opened.runner(opened.site);
    // As if it had been written back during the run.
    await applyMigration(runner, registered("0004"), state && { ...state, status: "applying" });
    await runner.lock.release();
    expect(await everything(opened.aws)).toEqual(moved);
    expect(await down("0004")).toMatchObject({ conflicts: [] });
    expect(await everything(opened.aws)).toEqual(before);
  });

  it("finds the moved object by the address that its buttons open", async () => {
    const entry = { ...websiteEntry("doc-1", oldKey).M, url: { S: "https://former.example/file.pdf" } };
    await put({ documents: { L: [{ M: entry }] } });
    const before = await everything(opened.aws);
    await up("0004");
    const [moved] = documentsOf(await readItem(opened.aws, "user-1", "simple"));
    expect(moved?.M?.["url"]?.S).toContain(String(moved?.M?.["s3Key"]?.S));
    expect(moved?.M?.["url"]).toEqual(moved?.M?.["s3Url"]);
    expect(await down("0004")).toMatchObject({ conflicts: [] });
    expect(await everything(opened.aws)).toEqual(before);
  });

  it("and changed the documents since is a conflict for down: it stays, with its object, and the rest goes back", async () => {
    await put({ documents: { L: [websiteEntry("doc-1", oldKey)] } });
    const other = "users/user-2/documents/cv/1734384121711-x.pdf";
    await putObjectOf(opened.aws, other, "%PDF-1 zwei");
    await put({ userId: { S: "user-2" }, documents: { L: [websiteEntry("doc-2", other)] } });
    await up("0004");
    await save(withEntry("new"));
    const kept = await readItem(opened.aws, "user-1", "simple");
    const why = 'somebody changed "documents" since';
    expect(await down("0004")).toMatchObject({
      counts: { changed: 1, conflicts: 1 },
      conflicts: [{ userId: "user-1", why }],
    });
    expect(await readItem(opened.aws, "user-1", "simple")).toEqual(kept);
    const keys = Object.keys((await everything(opened.aws)).objects);
    expect(keys).toContain(other);
    expect(keys).toContain(documentsOf(kept)[0]?.M?.["s3Key"]?.S);
    expect(keys).not.toContain(oldKey);
    // Once the conflict is gone, the next run brings this one back too.
    await save((item) => ({ documents: { L: documentsOf(item).slice(0, 1) } }));
    expect(await down("0004")).toMatchObject({ counts: { changed: 1, conflicts: 0 } });
    expect(documentsOf(await readItem(opened.aws, "user-1", "simple"))).toEqual([
      websiteEntry("doc-1", oldKey),
    ]);
  });
});

describe("a moved object", () => {
  beforeEach(async () => {
    await putObjectOf(opened.aws, oldKey, "%PDF-1 alt", "application/pdf");
    await putObjectOf(opened.aws, oldKey, "%PDF-1 eins", "application/pdf");
    await put({ documents: { L: [websiteEntry("doc-1", oldKey)] } });
  });

  it("keeps its former versions, and comes back even when the bucket has removed them", async () => {
    const before = await everything(opened.aws);
    const versionsBefore = await versions(opened.aws);
    await up("0004");
    expect(await versions(opened.aws)).toEqual(expect.arrayContaining(versionsBefore));
    await deleteAllVersions(opened.aws, bucket, { key: oldKey });
    expect(await down("0004")).toMatchObject({ counts: { objects: 1 }, conflicts: [] });
    const { items, objects } = await everything(opened.aws);
    expect(items).toEqual(before.items);
    expect(objects).toEqual({
      [oldKey]: { ...(before.objects[oldKey] as object), version: expect.any(String) },
    });
  });

  it("whose copy is gone is not deleted at its former key, and whose object is nowhere is a conflict", async () => {
    await up("0004");
    await deleteAllVersions(opened.aws, bucket, { key: oldKey });
    const to = documentsOf(await readItem(opened.aws, "user-1", "simple"))[0]?.M?.["s3Key"]?.S ?? "";
    await deleteObject(opened.aws, { bucket, key: to });
    expect(await down("0004")).toMatchObject({
      conflicts: [{ userId: "user-1", why: `its object cannot be brought back: ${oldKey}` }],
    });
    expect(documentsOf(await readItem(opened.aws, "user-1", "simple"))[0]?.M?.["s3Key"]).toEqual({ S: to });
    expect((await list(to)).map(({ isDeleteMarker }) => isDeleteMarker)).toEqual([false, true]);
  });

  it("comes back by a copy where another version lies below the marker", async () => {
    const before = await everything(opened.aws);
    await up("0004");
    const listed = await list(oldKey);
    const marker = listed.find(({ isDeleteMarker }) => isDeleteMarker);
    const newest = listed.find(({ isDeleteMarker }) => !isDeleteMarker);
    for (const version of [marker?.version, newest?.version])
      await deleteObject(opened.aws, { bucket, key: oldKey, version });
    // What is left is the older one; it is hidden once more.
    await deleteObject(opened.aws, { bucket, key: oldKey });
    expect(await down("0004")).toMatchObject({ counts: { objects: 1 }, conflicts: [] });
    const { objects } = await everything(opened.aws);
    expect(objects).toEqual({
      [oldKey]: { ...(before.objects[oldKey] as object), version: expect.any(String) },
    });
  });

  it("moves and comes back in a bucket whose versioning is suspended", async () => {
    const s3 = await opened.aws.s3();
    const VersioningConfiguration = { Status: "Suspended" } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    await putObjectOf(opened.aws, oldKey, "%PDF-1 neu", "application/pdf");
    const before = await everything(opened.aws);
    await up("0004");
    expect(Object.keys((await everything(opened.aws)).objects)).not.toContain(oldKey);
    expect(await down("0004")).toMatchObject({ counts: { objects: 1 }, conflicts: [] });
    expect(await everything(opened.aws)).toEqual(before);
  });

  it("stays at its new key alone, when another one of the same user cannot come back", async () => {
    const lost = "users/user-1/documents/cv/1734384121712-lost.pdf";
    await putObjectOf(opened.aws, lost, "%PDF-1 weg");
    await put({ documents: { L: [websiteEntry("doc-1", oldKey), websiteEntry("doc-2", lost)] } });
    await up("0004");
    const moved = await everything(opened.aws);
    const [stays, goes] = documentsOf(moved.items[0]).map(({ M }) => M?.["s3Key"]?.S ?? "");
    for (const each of [lost, goes ?? ""]) await deleteAllVersions(opened.aws, bucket, { key: each });
    expect(await down("0004")).toMatchObject({ conflicts: [{ userId: "user-1" }] });
    const { items, objects } = await everything(opened.aws);
    expect(items).toEqual(moved.items);
    expect(Object.keys(objects)).toEqual([stays]);
  });

  it("takes both attributes along that name a picture, and back", async () => {
    const avatar = "profile-images/user-1/avatar-1734384121714.jpg";
    const address = (of: string) => ({ S: `https://${bucket}.s3.eu-central-1.amazonaws.com/${of}` });
    await putObjectOf(opened.aws, avatar, "JPEG", "image/jpeg");
    await put({ profileImage: address(avatar), profileImageUrl: address(avatar) });
    const before = await everything(opened.aws);
    await up("0004");
    const { items, objects } = await everything(opened.aws);
    const to = Object.keys(objects).find((each) => each.startsWith("public/profile-images/user-1/")) ?? "";
    const now = { S: documentUrl(opened.site, to) };
    expect(items).toMatchObject([{ profileImage: now, profileImageUrl: now }]);
    expect(Object.keys(objects)).not.toContain(avatar);
    await down("0004");
    expect(await everything(opened.aws)).toEqual(before);
    // The one that the website reads today may stand alone.
    await put({ profileImageUrl: address(avatar) });
    await up("0004");
    const [alone] = (await everything(opened.aws)).items;
    expect([alone?.["profileImageUrl"], alone?.["profileImage"]]).toEqual([now, undefined]);
  });

  it("stays where another attribute names it, and is told", async () => {
    const avatar = "profile-images/user-1/avatar-1734384121714.jpg";
    const address = { S: `https://${bucket}.s3.eu-central-1.amazonaws.com/${avatar}` };
    await putObjectOf(opened.aws, avatar, "JPEG", "image/jpeg");
    await put({
      documents: { L: [websiteEntry("doc-1", oldKey)] },
      profileImage: address,
      resumes: { L: [{ M: { s3Key: { S: oldKey } } }] },
      photos: { L: [{ M: { url: address } }] },
    });
    const before = await everything(opened.aws);
    expect((await up("0004")).left).toEqual([
      { userId: "user-1", what: "doc-1", why: `"resumes" names its object too: ${oldKey}` },
      { userId: "user-1", what: "profileImage", why: `"photos" names its object too: ${avatar}` },
    ]);
    expect(await everything(opened.aws)).toEqual(before);
  });

  it("keeps its former object when another attribute names it since", async () => {
    opened.beforeUpdate = () => save(() => ({ resumes: { L: [{ M: { s3Key: { S: oldKey } } }] } }));
    await up("0004");
    const { items, objects } = await everything(opened.aws);
    expect(items).toMatchObject([{ resumes: { L: [{ M: { s3Key: { S: oldKey } } }] } }]);
    expect(Object.keys(objects)).toContain(oldKey);
  });

  it("under a legal hold stays, also for another entry that names it", async () => {
    const held = websiteEntry("doc-1", oldKey, { legalHold: { S: "Klage 12 C 34/26" } });
    await put({ documents: { L: [held, websiteEntry("doc-2", oldKey)] } });
    const before = await everything(opened.aws);
    const why = "legal hold: Klage 12 C 34/26";
    expect((await up("0004")).left).toEqual(
      ["doc-1", "doc-2"].map((what) => ({ userId: "user-1", what, why })),
    );
    expect(await everything(opened.aws)).toEqual(before);
  });

  it("of a person under a legal hold stays, with pictures; one that comes meanwhile keeps the former object", async () => {
    const hold: Hold = {
      sequence: 1,
      userId: "user-1",
      subject: undefined,
      reason: "case 1",
      since: "2026-01-01T00:00:00.000Z",
      salt: "0a",
      hashes: [keyedHash("user-1", "0a")],
    };
    await put({ documents: { L: [websiteEntry("doc-1", oldKey)] } });
    const before = await everything(opened.aws);
    const held = await up("0004", { ...opened.site, holds: async () => [hold] });
    const why = "legal hold of the person: case 1";
    expect(held.left).toEqual([{ userId: "user-1", what: "doc-1", why }]);
    expect(await everything(opened.aws)).toEqual(before);
    const holds: Hold[] = [];
    opened.beforeUpdate = async () => void holds.push(hold);
    const meanwhile = await up("0004", { ...opened.site, holds: async () => holds });
    expect([holds.length > 0, meanwhile.left]).toEqual([true, []]);
    const { items, objects } = await everything(opened.aws);
    expect(items).toMatchObject([
      { documents: { L: [{ M: { s3Key: { S: expect.stringMatching(/^public\/documents\/user-1\//) } } }] } },
    ]);
    expect(Object.keys(objects)).toContain(oldKey);
  });

  it("of another user, or of one whose id can be in no key, stays, and is told", async () => {
    await put({ userId: { S: "user-2" }, documents: { L: [websiteEntry("doc-2", oldKey)] } });
    await put({
      userId: { S: "a b" },
      documents: { L: [websiteEntry("doc-3", "users/a b/documents/cv/1-x.pdf")] },
    });
    const { left } = await up("0004");
    expect(left.toSorted((one, other) => (one.userId < other.userId ? -1 : 1))).toEqual([
      {
        userId: "a b",
        what: "doc-3",
        why: "no key can be made for this user: the id holds a space or a control character",
      },
      { userId: "user-2", what: "doc-2", why: `its object is in none of the user's folders: ${oldKey}` },
    ]);
  });
});

it("comes to the same end on a server that throttles every third write and every fourth read", async () => {
  await putWebsiteData(opened.aws, "simple");
  const before = await everything(opened.aws);
  const { server, site } = await opened.faulty();
  let writes = 0;
  let reads = 0;
  let throttled = 0;
  server.fault = ({ headers }) => {
    const target = String(headers["x-amz-target"]);
    const isWrite = /Update|Put|Transact|Delete/.test(target);
    const isRefused = isWrite ? ++writes % 3 === 0 : ++reads % 4 === 0;
    if (!isRefused) return undefined;
    throttled += 1;
    const body = '{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}';
    return { status: 400, headers: { "content-type": "application/x-amz-json-1.0" }, body };
  };
  for (const number of ["0001", "0002", "0003", "0004"])
    expect((await up(number, site)).unfinished).toEqual([]);
  expect(throttled).toBeGreaterThan(10);
  for (const number of ["0004", "0003", "0002", "0001"]) expect((await down(number)).conflicts).toEqual([]);
  expect(await everything(opened.aws)).toEqual(before);
});

it("migrates an item of nearly 400 KB and back, and leaves one that would grow beyond", async () => {
  const other = key.replace("user-1", "user-2");
  for (const each of [key, other]) await putObjectOf(opened.aws, each, "%PDF-1 eins", "application/pdf");
  const item = (random: number): Item => ({
    ...foreignAttributes,
    documents: { L: [websiteEntry("doc-1", key)] },
    random: { B: randomBytes(random) },
  });
  const room =
    400 * 1024 - itemSizeBytes({ userId: { S: "user-1" }, type: { S: "user-profile" }, ...item(0) });
  await put(item(room - 300));
  const documents = { L: [websiteEntry("doc-1", other)] };
  await put({ ...item(room - 10), userId: { S: "user-2" }, documents });
  const before = await everything(opened.aws);
  const why = expect.stringContaining("at most 409600");
  expect(await up("0001")).toMatchObject({
    counts: { changed: 1, left: 1 },
    left: [{ userId: "user-2", what: "doc-1", why }],
    unfinished: [],
  });
  expect(await down("0001")).toMatchObject({ counts: { changed: 1 }, conflicts: [] });
  expect(await everything(opened.aws)).toEqual(before);
});
