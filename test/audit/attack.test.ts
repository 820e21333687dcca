import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newSigner, writeClaim } from "../../src/audit/claims.ts";
import { readHead } from "../../src/audit/entries.ts";
import { anchorKey, claimKey, trailPrefix } from "../../src/audit/place.ts";
import type { Item } from "../../src/aws/dynamodb/items.ts";
import { plain, typed } from "../../src/aws/dynamodb/plain.ts";
import { listVersions } from "../../src/aws/s3/listing.ts";
import { getObjectBytes, putObject } from "../../src/aws/s3/objects.ts";
import { auditFindings } from "../../src/doctor/audit-trail.ts";
import { entryHash, signedText, type Signer } from "../../src/model/audit.ts";
import { openTrailSite, testNow, type TrailSite } from "./trail-site.ts";

let trail: TrailSite;

beforeEach(async () => {
  trail = await openTrailSite();
});
afterEach(() => trail.close());

async function stored(sequence: number): Promise<Item> {
  const item = await trail.item(sequence);
  if (item === undefined) throw new Error(`no entry ${sequence}`);
  return item;
}

async function faults(): Promise<string[]> {
  return (await trail.verify()).faults.map(({ fault, sequence, to }) =>
    to === undefined || to === sequence ? `${fault} ${sequence}` : `${fault} ${sequence}-${to}`,
  );
}

async function doctor(): Promise<string> {
  const [finding] = await auditFindings(trail.site, testNow);
  return `${finding?.status}: ${finding?.message}`;
}

/** An entry as somebody writes it who knows how hashes are made; signed where a key is given. */
function made(item: Item, differing: Item, signer?: Signer): Item {
  const { signature, hash: _hash, ...fields } = { ...item, ...differing };
  const named: Item = signer === undefined ? fields : { ...fields, writer: { S: signer.writer } };
  const signed: Item = {
    ...named,
    signature: signer === undefined ? (signature ?? { S: "" }) : { S: signer.sign(signedText(plain(named))) },
  };
  return { ...signed, hash: { S: entryHash(plain(signed)) } };
}

/** Puts an entry behind the last one, chained to it as it should be. */
async function append(after: number, differing: Item = {}, signer?: Signer): Promise<void> {
  const last = await stored(after);
  const { hash, ttl } = plain(last);
  const place = { sequence: { N: String(after + 1) }, previousHash: typed(hash), previousTtl: typed(ttl) };
  await trail.put(made(last, { ...place, ...differing }, signer));
}

/** Computes the chain from one entry on anew, with another user in that entry. */
async function rewrite(from: number, to: number): Promise<void> {
  let previous = made(await stored(from), { userId: { S: "somebody-else" } });
  await trail.put(previous);
  for (let sequence = from + 1; sequence <= to; sequence += 1) {
    previous = made(await stored(sequence), { previousHash: previous["hash"] ?? { S: "" } });
    await trail.put(previous);
  }
}

async function setAnchor(text: string): Promise<void> {
  const { aws, bucket } = trail.site;
  await putObject(aws, { bucket, key: anchorKey(trail.site), body: Buffer.from(text) });
}

/** The text of the anchor that vouched for an entry, from its versions. */
async function oldAnchor(sequence: number): Promise<string> {
  const { aws, bucket } = trail.site;
  for await (const page of listVersions(aws, { bucket, prefix: anchorKey(trail.site) })) {
    for (const { key, version } of page) {
      const text = (await getObjectBytes(aws, { bucket, key, version })).bytes.toString();
      if ((JSON.parse(text) as { sequence: number }).sequence === sequence) return text;
    }
  }
  throw new Error(`no anchor of entry ${sequence}`);
}

/** A run that records events one by one, each anchored before the next. */
async function writeAnchored(count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) await trail.write(1);
}

describe("with rights on the table alone", () => {
  it("nobody gets a chain anchored that was computed anew and went on by an entry", async () => {
    await trail.write(3);
    const anchored = await trail.anchor();
    await rewrite(1, 3);
    await append(3);
    expect(await faults()).toEqual(expect.arrayContaining(["anchor 3", "forged 4"]));
    expect(await doctor()).toMatch(/^problem: entry \d/);

    await trail.write(1);
    expect(trail.warnings).toEqual([
      "the audit trail's entry 4 was not written by mawps: passed over; mawps audit verify tells more",
    ]);
    expect(plain(await stored(5))).toMatchObject({
      action: "audit.chain-broken",
      previousHash: anchored.hash,
      details: { sequence: 3, from: "4", to: "4" },
    });
    expect(plain(await stored(6))).toMatchObject({ action: "document.deleted" });
    expect(await trail.anchor()).toMatchObject({ sequence: 6 });
    expect(await faults()).toEqual(expect.arrayContaining(["anchor 3", "forged 4"]));
    expect(await doctor()).toMatch(/^problem/);
  });

  it.each<{ what: string; differing: Item; signed: boolean }>([
    { what: "as it is", differing: {}, signed: false },
    { what: "signed with a key of its own", differing: {}, signed: true },
    { what: "dated 9999", differing: { timestamp: { S: "9999-12-31T23:59:59.999Z" } }, signed: true },
  ])("an entry behind the anchor is not believed: $what", async ({ differing, signed }) => {
    await trail.write(2);
    await append(2, differing, signed ? newSigner() : undefined);
    await append(3, differing, signed ? newSigner() : undefined);
    expect(await faults()).toEqual(["forged 3-4"]);
    expect(await doctor()).toBe("problem: entry 3: up to 4 were not written by a run that announced itself");
    await trail.write(2);
    expect(trail.warnings).toHaveLength(1);
    expect(plain(await stored(5))).toMatchObject({ action: "audit.chain-broken" });
    expect(plain(await stored(7))["timestamp"]).toMatch(/^2026-03-01/);
    expect(await faults()).toEqual(["forged 3-4"]);
    expect((await trail.verify()).sum).toMatchObject({ last: 7, anchored: 7, notAnchored: 0 });
  });

  it.each(["9007199254740991", "9007199254740993", "100000000000000000000", "999999999999", "20000"])(
    "an entry at place %s stops nobody",
    async (place) => {
      await trail.write(2);
      await append(2);
      await trail.put(made(await stored(2), { sequence: { N: place } }));
      await trail.drop(3);
      expect(await faults()).toEqual([`inserted ${place}`]);
      await trail.write(2);
      expect(plain(await stored(4))).toMatchObject({ action: "document.uploaded" });
      expect(trail.warnings).toEqual([]);
      expect(await faults()).toEqual([`inserted ${place}`]);
    },
  );

  it.each(["9007199254740993", "100000000000000000000"])(
    "the head is found behind an entry at place %s, a page at a time",
    async (place) => {
      await trail.write(2);
      await trail.put(made(await stored(2), { sequence: { N: place } }));
      expect(await readHead(trail.site)).toMatchObject({ sequence: 2 });
    },
  );

  it.each<{ what: string; differing: Item }>([
    { what: "in the entry", differing: { ["__proto__"]: { S: "x" } } },
    { what: "in its details", differing: { details: { M: { ["__proto__"]: { S: "x" } } } } },
  ])("an attribute __proto__ $what is an edit, and stops nobody", async ({ differing }) => {
    await trail.write(2);
    await trail.put({ ...(await stored(2)), ...differing });
    expect(await faults()).toEqual(["edited 2"]);
    await trail.put({ ...(await stored(1)), sequence: { N: "3" }, ...differing });
    await trail.write(2);
    expect(plain(await stored(4))).toMatchObject({ action: "audit.chain-broken", details: { from: "3" } });
    expect(plain(await stored(6))).toMatchObject({ action: "document.uploaded" });
    expect(await faults()).toEqual(["edited 2", "edited 3", "forged 3"]);
  });

  it.each([
    { what: "right behind the head, and as far as a chain can grow", places: [3, 10_002, 10_003], next: 4 },
    { what: "at every second place", places: [3, 5, 7, 9, 11, 13], next: 14 },
    { what: "as far apart as a group has room, and on beyond all bounds", places: [3, 103, 203], next: 204 },
    { what: "just too far apart to be in the way", places: [3, 104, 10_003], next: 4 },
  ])("entries $what stop nobody", async ({ places, next }) => {
    await trail.write(2);
    const last = await stored(2);
    for (const place of places) await trail.put(made(last, { sequence: { N: String(place) } }));
    await trail.write(3);
    expect(plain(await stored(next))).toMatchObject({
      action: "audit.chain-broken",
      details: { sequence: 2, from: "3", to: String(next - 1) },
    });
    expect(plain(await stored(next + 3))).toMatchObject({ action: "document.deleted" });
    expect(await trail.anchor()).toMatchObject({ sequence: next + 3 });
    await trail.write(1);
    expect(await trail.anchor()).toMatchObject({ sequence: next + 4 });
    expect(await faults()).not.toEqual([]);
  });

  it("an acknowledgement of one's own forgery is none", async () => {
    await trail.write(2);
    const details = { M: { steps: { L: [{ S: "forged 3-3" }] } } };
    await append(2, { action: { S: "audit.acknowledged" }, details });
    expect(await faults()).toEqual(["forged 3"]);
    await trail.write(1);
    expect(await faults()).toEqual(["forged 3"]);
  });

  it("an entry of a group that was turned into an acknowledgement is none", async () => {
    const opened = await trail.open();
    const event = { action: "document.deleted", userId: "user-1" } as const;
    await opened.record([event, event, event]);
    await opened.settle();
    const next = String(plain(await stored(2))["hash"]).slice(0, 16);
    const details = { M: { steps: { L: [{ S: `replaced 2 ${next}` }] } } };
    await trail.put(made(await stored(1), { action: { S: "audit.acknowledged" }, details }));
    expect(await faults()).toEqual(["replaced 2"]);
  });
});

describe("with rights on the table and the bucket", () => {
  it("a cut tail shows although an older anchor was put back", async () => {
    await writeAnchored(4);
    await trail.drop(3);
    await trail.drop(4);
    await setAnchor(await oldAnchor(2));
    expect(await faults()).toEqual(["missing 3-4", "anchor 2"]);
    expect(await doctor()).toMatch(/^problem: entry 3: up to 4 are missing, and 1 more/);
    await writeAnchored(3);
    expect(await faults()).toEqual(expect.arrayContaining(["anchor 3", "anchor 4", "anchor 2"]));
  });

  it("a cut trail shows although an anchor of nothing was put back", async () => {
    await writeAnchored(3);
    const nothing = await oldAnchor(0);
    for (const sequence of [1, 2, 3]) await trail.drop(sequence);
    await setAnchor(nothing);
    expect(await faults()).toEqual(["missing 1-3", "anchor 0"]);
    await trail.write(1);
    expect(await faults()).toEqual(expect.arrayContaining(["anchor 1", "anchor 0"]));
  });

  it("a cut tail shows also when all that a lifecycle expires is gone", async () => {
    await writeAnchored(4);
    await trail.drop(4);
    await setAnchor(await oldAnchor(3));
    const { aws, bucket } = trail.site;
    const s3 = await aws.s3();
    let removed = 0;
    for await (const page of listVersions(aws, { bucket, prefix: trailPrefix(trail.site) })) {
      for (const { key: Key, version: VersionId } of page.filter(({ isLatest }) => !isLatest)) {
        await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
        removed += 1;
      }
    }
    expect(removed).toBeGreaterThanOrEqual(4);
    expect(await faults()).toEqual(["missing 4"]);
  });

  it.each([
    { what: "of a place that no trail reaches", differing: { sequence: 2 ** 53 - 1, count: 2 ** 53 - 1 } },
    { what: "dated 9999", differing: { timestamp: "9999-12-31T23:59:59.999Z" } },
  ])("an anchor $what stops nobody", async ({ differing }) => {
    await trail.write(2);
    await setAnchor(JSON.stringify({ ...(await trail.anchor()), ...differing }));
    expect(await faults()).toEqual(["anchor 2"]);
    await trail.write(1);
    expect(plain(await stored(3))).toMatchObject({ action: "audit.anchor-lost", details: { sequence: 2 } });
    expect(plain(await stored(4))["timestamp"]).toMatch(/^2026-03-01/);
    expect(await trail.anchor()).toMatchObject({ sequence: 4 });
    expect(await faults()).toEqual(["anchor 3"]);
  });

  it("an anchor that is far too large is damaged, and stops nobody", async () => {
    await trail.write(2);
    await setAnchor(" ".repeat(100_000));
    expect(await faults()).toEqual(["anchor 2"]);
    await trail.write(1);
    expect(await trail.anchor()).toMatchObject({ sequence: 4 });
    expect(await faults()).toEqual(["anchor 3"]);
  });

  it.each([
    { what: "far too large", text: " ".repeat(16 * 1024 ** 2 + 1) },
    { what: "none", text: "{}" },
  ])("a claim that is $what is told, and stops nobody", async ({ text }) => {
    const { aws, bucket } = trail.site;
    const { writer } = newSigner();
    await putObject(aws, { bucket, key: claimKey(trail.site, writer), body: Buffer.from(text) });
    await trail.write(1);
    expect(await trail.verify()).toMatchObject({
      faults: [{ fault: "claim", sequence: writer.slice(0, 16) }],
      interruptions: [],
      sum: { entries: 1, faults: 1 },
    });
    expect(await doctor()).toBe(
      `problem: run ${writer.slice(0, 16)}: what this run announced cannot be read`,
    );
  });

  it("an entry that was announced and dated 9999 is passed over", async () => {
    await trail.write(2);
    const signer = newSigner();
    await writeClaim(trail.site, signer.writer, { actor: "somebody", changes: [] });
    await append(2, { timestamp: { S: "9999-12-31T23:59:59.999Z" } }, signer);
    expect(await faults()).toEqual(["forged 3"]);
    await trail.write(1);
    expect(plain(await stored(5))["timestamp"]).toMatch(/^2026-03-01/);
    expect(await faults()).toEqual(["forged 3"]);
  });
});
