import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { anchorKey } from "../../src/audit/place.ts";
import type { Item } from "../../src/aws/dynamodb/items.ts";
import { deleteObject, putObject } from "../../src/aws/s3/objects.ts";
import { plain, typed } from "../../src/aws/dynamodb/plain.ts";
import { entryHash } from "../../src/model/audit.ts";
import { openTrailSite, testNow, type TrailSite } from "./trail-site.ts";

const entries = 6;
const all = Array.from({ length: entries }, (_, at) => at + 1);

let trail: TrailSite;

beforeEach(async () => {
  trail = await openTrailSite();
  await trail.write(entries);
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

/** The entry with other fields, and a hash that fits them: what somebody does who knows how hashes are made. */
function rehashed(item: Item, differing: Item): Item {
  const changed = { ...item, ...differing };
  return { ...changed, hash: { S: entryHash(plain(changed)) } };
}

it("finds nothing in a trail as it was written", async () => {
  expect(await trail.verify()).toEqual({
    faults: [],
    interruptions: [],
    sum: {
      entries,
      first: 1,
      last: 6,
      anchored: 6,
      notAnchored: 0,
      expired: 0,
      interrupted: 0,
      acknowledged: 0,
      faults: 0,
    },
  });
});

describe("an edited entry", () => {
  /** One step away from the stored value, in its own type. */
  function different(value: Item[string]): Item[string] {
    if (value.S !== undefined) return { S: `${value.S}x` };
    if (value.N !== undefined) return { N: String(Number(value.N) + 1) };
    if (value.M !== undefined) return { M: { ...value.M, sizeBytes: { N: "999" } } };
    throw new Error("an entry has texts, numbers and one map");
  }

  it("is found whichever field of whichever entry it is", async () => {
    for (const sequence of all) {
      const item = await stored(sequence);
      const fields = Object.keys(item).filter((name) => name !== "chain" && name !== "sequence");
      expect(fields).toHaveLength(13);
      for (const name of fields) {
        const value = item[name];
        if (value === undefined) throw new Error(name);
        for (const edited of [different(value), undefined]) {
          const { [name]: _removed, ...others } = item;
          await trail.put(edited === undefined ? others : { ...others, [name]: edited });
          expect({ sequence, name, faults: await faults() }).toEqual({
            sequence,
            name,
            faults: expect.arrayContaining([`edited ${sequence}`]) as string[],
          });
        }
      }
      await trail.put(item);
    }
    expect(await faults()).toEqual([]);
  });

  it.each<{ what: string; differing: Item }>([
    { what: "a detail", differing: { details: { M: { documentId: { S: "doc-1" } } } } },
    { what: "a number turned into a text", differing: { ttl: { S: "1993291200" } } },
    { what: "an attribute that was added", differing: { note: { S: "approved" } } },
    { what: "a list turned into a set", differing: { details: { M: { tags: { SS: ["a", "b"] } } } } },
  ])("is found by $what", async ({ differing }) => {
    await trail.put({ ...(await stored(3)), ...differing });
    expect(await faults()).toEqual(["edited 3"]);
  });

  it("is found also with a hash that fits it: the next entry does not continue it", async () => {
    for (const sequence of all.slice(0, -1)) {
      const item = await stored(sequence);
      await trail.put(rehashed(item, { actor: { S: "arn:aws:iam::123456789012:user/somebody" } }));
      expect(await faults()).toEqual(expect.arrayContaining([`replaced ${sequence + 1}`]));
      await trail.put(item);
    }
  });

  it("is found also when everything behind it was computed anew: the anchor knows another end", async () => {
    let previous = rehashed(await stored(2), { userId: { S: "somebody-else" } });
    await trail.put(previous);
    for (const sequence of [3, 4, 5, 6]) {
      const previousHash = previous["hash"];
      if (previousHash === undefined) throw new Error("no hash");
      previous = rehashed(await stored(sequence), { previousHash });
      await trail.put(previous);
    }
    // Others than the last may have been anchored on the way.
    expect((await faults()).filter((fault) => !fault.startsWith("anchor"))).toEqual([]);
    expect(await faults()).toContain("anchor 6");
  });

  it("is found as the last one, with a hash that fits it", async () => {
    await trail.put(rehashed(await stored(6), { action: { S: "document.restored" } }));
    expect(await faults()).toEqual(["anchor 6"]);
  });
});

describe("a removed entry", () => {
  it.each(all)("is found: number %i", async (sequence) => {
    await trail.drop(sequence);
    expect(await faults()).toEqual([`missing ${sequence}`]);
  });

  it.each(all)("is found with everything behind it: from number %i on", async (from) => {
    for (const sequence of all.slice(from - 1)) await trail.drop(sequence);
    expect(await faults()).toEqual([from === entries ? "missing 6" : `missing ${from}-6`]);
  });

  it.each(all)("is found with everything before it: up to number %i", async (to) => {
    for (const sequence of all.slice(0, to)) await trail.drop(sequence);
    expect(await faults()).toEqual([to === 1 ? "missing 1" : `missing 1-${to}`]);
  });

  it("stays found when the trail goes on behind a cut tail", async () => {
    await trail.drop(5);
    await trail.drop(6);
    await trail.write(2);
    expect(await faults()).toEqual(["missing 5-6"]);
    expect((await trail.verify()).sum).toMatchObject({ last: 8, anchored: 8 });
  });

  it("is found when the later ones moved up into its place", async () => {
    await trail.drop(3);
    for (const sequence of [4, 5, 6]) {
      await trail.put({ ...(await stored(sequence)), sequence: { N: String(sequence - 1) } });
    }
    await trail.drop(6);
    expect((await faults()).filter((fault) => !fault.startsWith("anchor"))).toEqual([
      "edited 3",
      "edited 4",
      "edited 5",
      "missing 6",
    ]);
  });
});

describe("an entry in the wrong place", () => {
  it("is found when two were swapped", async () => {
    for (const [one, other] of [
      [1, 2],
      [2, 5],
      [5, 6],
    ] as const) {
      const [first, second] = [await stored(one), await stored(other)];
      await trail.put({ ...first, sequence: { N: String(other) } });
      await trail.put({ ...second, sequence: { N: String(one) } });
      expect(await faults()).toEqual(expect.arrayContaining([`edited ${one}`, `edited ${other}`]));
      // Also with numbers and hashes that fit.
      await trail.put(rehashed(first, { sequence: { N: String(other) } }));
      await trail.put(rehashed(second, { sequence: { N: String(one) } }));
      expect(await faults()).toEqual(expect.arrayContaining([`replaced ${other}`]));
      await trail.put(first);
      await trail.put(second);
    }
  });

  it.each(["0", "-1", "2.5", "1e100"])("is found when it was inserted as number %s", async (number) => {
    await trail.put(rehashed(await stored(2), { sequence: { N: number } }));
    expect((await trail.verify()).faults.map(({ fault }) => fault)).toEqual(["inserted"]);
    // Nor does it lead the next writer astray.
    await trail.write(1);
    expect(await trail.item(7)).toBeDefined();
  });

  it("is found when it was added at the end", async () => {
    const last = await stored(6);
    const { hash, ttl } = plain(last);
    const added = { sequence: { N: "7" }, previousHash: typed(hash), previousTtl: typed(ttl) };
    await trail.put(rehashed(last, added));
    expect(await faults()).toEqual(["forged 7"]);
    await trail.put({ ...last, sequence: { N: "7" } });
    expect(await faults()).toEqual(["edited 7"]);
  });
});

describe("expiry", () => {
  const day = 86_400_000;

  it("lets entries be missing whose time was over, in whatever order they went", async () => {
    const site = await openTrailSite();
    try {
      const long = new Date(testNow.getTime() - 3000 * day);
      await site.write(4, { now: () => long });
      await site.write(2);
      for (const gone of [[1], [3], [2], [4]]) {
        for (const sequence of gone) await site.drop(sequence);
        expect((await site.verify()).faults).toEqual([]);
      }
      expect((await site.verify()).sum).toMatchObject({ entries: 2, first: 5, expired: 4, anchored: 6 });
      // The first one left has years to go.
      await site.drop(5);
      expect((await site.verify()).faults).toMatchObject([{ fault: "missing", sequence: 1, to: 5 }]);
    } finally {
      await site.close();
    }
  });

  it("lets all be missing when the anchor's entry was due as well", async () => {
    for (const sequence of all) await trail.drop(sequence);
    const later = new Date(testNow.getTime() + 2558 * day);
    expect(await trail.verify(later)).toMatchObject({ faults: [], sum: { entries: 0, expired: 6 } });
    const earlier = new Date(testNow.getTime() + 2556 * day);
    expect((await trail.verify(earlier)).faults).toMatchObject([{ fault: "missing", sequence: 1, to: 6 }]);
  });

  it("does not believe an entry that was edited to say that the one before was due", async () => {
    await trail.drop(2);
    await trail.put(rehashed(await stored(3), { previousTtl: { N: "1000000000" } }));
    expect(await faults()).toEqual(["replaced 4"]);
  });
});

describe("the anchor", () => {
  const remove = () => deleteObject(trail.aws, { bucket: trail.site.bucket, key: anchorKey(trail.site) });
  const write = (text: string) =>
    putObject(trail.aws, {
      bucket: trail.site.bucket,
      key: anchorKey(trail.site),
      body: Buffer.from(text),
    });

  it("is missed, and its last version still tells of a cut tail", async () => {
    await remove();
    expect(await faults()).toEqual(["anchor 6"]);
    await trail.drop(6);
    expect(await faults()).toEqual(["missing 6", "anchor 6"]);
    for (const sequence of all) await trail.drop(sequence);
    expect(await faults()).toEqual(["missing 1-6", "anchor 6"]);
  });

  it("is missed where no version was kept", async () => {
    const s3 = await trail.aws.s3();
    const { listVersions } = await import("../../src/aws/s3/listing.ts");
    for await (const page of listVersions(trail.aws, { bucket: trail.site.bucket })) {
      for (const { key, version } of page) {
        await s3.send(new DeleteObjectCommand({ Bucket: trail.site.bucket, Key: key, VersionId: version }));
      }
    }
    expect(await faults()).toEqual(["anchor 0"]);
  });

  it.each([
    { what: "no JSON", text: "{" },
    { what: "another kind of JSON", text: "[1]" },
    { what: "a count that does not fit", text: '{"sequence":6,"count":5}' },
  ])("is found damaged: $what", async ({ text }) => {
    await write(text);
    expect(await faults()).toEqual(["anchor 6"]);
  });

  it("leaves a fault for good when it was lost and the trail went on", async () => {
    await remove();
    await trail.write(1);
    expect(await trail.item(7)).toMatchObject({ action: { S: "audit.anchor-lost" } });
    expect(await faults()).toEqual(["anchor 7"]);
    await trail.write(1);
    expect(await faults()).toEqual(["anchor 7"]);
    expect((await trail.verify()).sum).toMatchObject({ last: 9, anchored: 9 });
  });

  it("is not missed before the trail has begun", async () => {
    const site = await openTrailSite();
    try {
      expect(await site.verify()).toEqual({
        faults: [],
        interruptions: [],
        sum: {
          entries: 0,
          first: null,
          last: null,
          anchored: null,
          notAnchored: 0,
          expired: 0,
          interrupted: 0,
          acknowledged: 0,
          faults: 0,
        },
      });
    } finally {
      await site.close();
    }
  });
});
