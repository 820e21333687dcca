import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listVersions } from "../../../src/aws/s3/listing.ts";
import { beginUpload } from "../../../src/aws/s3/multipart.ts";
import { deleteObject, putObject } from "../../../src/aws/s3/objects.ts";
import { configuredSite } from "../../../src/target.ts";
import { groupings } from "../../../src/usage/sums.ts";
import { documentBucket } from "../../support/documents.ts";
import {
  allFields,
  orderInventory,
  putInventory,
  type InventoryOf,
  type Line,
} from "../../support/inventory.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;
/** Of every bucket of the site that is there, as a listing has them. */
const lines = new Map<string, readonly Line[]>();
/** What is told by a listing, by grouping. */
const listed = new Map<string, unknown>();
const destination = "inventories-of-the-site";

beforeAll(async () => {
  home = await makeHome();
  await home.look(async (aws, config) => {
    await (
      await aws.s3()
    ).send(
      new CreateBucketCommand({
        Bucket: destination,
        CreateBucketConfiguration: { LocationConstraint: "eu-central-1" },
      }),
    );
    const put = (key: string, bytes: number) =>
      putObject(aws, { bucket: documentBucket, key, body: Buffer.alloc(bytes, "x") });
    for (const [at, name] of ["a b.pdf", "a+b.pdf", "100%.PDF", 'ü",\n😀.txt', "plain"].entries())
      await put(`public/documents/user-${at}/cv/${name}`, 10 ** at);
    await put("public/documents/user-1/cv/a+b.pdf", 7);
    await deleteObject(aws, { bucket: documentBucket, key: "public/documents/user-4/cv/plain" });
    await put("invoices/1.pdf", 5);
    await beginUpload(aws, { bucket: documentBucket, key: "public/documents/user-1/cv/big.pdf" });
    for (const { name } of configuredSite(config).buckets.filter(({ keptBy }) => keptBy !== "site")) {
      const found: Line[] = [];
      for await (const versions of listVersions(aws, { bucket: name }))
        found.push(
          ...versions.map(({ lastModified, storageClass = "STANDARD", sizeBytes: size, ...version }) => ({
            ...version,
            size,
            storageClass,
            ...(lastModified && { modified: lastModified.toISOString() }),
          })),
        );
      lines.set(name, found);
    }
  });
  for (const by of groupings) listed.set(by, JSON.parse((await home.run([...usage, "--by", by])).stdout));
});
afterAll(() => home.remove());

type More = Partial<Omit<InventoryOf, "source" | "destination">>;

/** A copy of the home in which all buckets have inventories; some of the one with documents are otherwise. */
async function withInventories(ofDocuments: More = {}, ofOthers: More = {}): Promise<TestHome> {
  const copy = await home.copy();
  await copy.look(async (aws) => {
    for (const [source, all] of lines) {
      const half = Math.ceil(all.length / 2);
      const more = source === documentBucket ? { ...ofOthers, ...ofDocuments } : ofOthers;
      const of = { source, destination, files: [all.slice(0, half), all.slice(half)], ...more };
      await orderInventory(aws, of);
      await putInventory(aws, of);
    }
  });
  return copy;
}

const usage = ["storage", "usage", "--no-record", "--json"];

describe("mawps storage usage --engine inventory", () => {
  it.each([
    ["CSV, by every grouping", { format: "CSV" }, groupings],
    ["Parquet by Snappy, by every grouping", { format: "Parquet", codec: "SNAPPY" }, groupings],
    ["Parquet by gzip", { format: "Parquet", codec: "GZIP" }, ["entity"]],
    ["plain Parquet", { format: "Parquet", codec: "UNCOMPRESSED" }, ["age"]],
  ] as const)("tells by %s what a listing tells", async (_name, how, asked) => {
    const copy = await withInventories({}, how);
    for (const by of asked) {
      const { exitCode, stdout } = await copy.run([...usage, "--by", by, "--engine", "inventory"]);
      expect({ by, exitCode }).toEqual({ by, exitCode: 0 });
      const { inventories, ...told } = JSON.parse(stdout) as Record<string, unknown>;
      expect(told).toEqual(listed.get(by));
      expect(inventories).toHaveLength(lines.size);
    }
    const one = await copy.run([...usage, "--engine", "inventory", "--user", "user-1"]);
    await copy.remove();
    expect(JSON.parse(one.stdout)).toMatchObject({
      files: {
        objects: { count: 1, bytes: 7 },
        noncurrent: { count: 1, bytes: 10 },
        unfinished: { count: 1 },
      },
    });
  });

  it("takes the newest that is complete, and says of what time it is", async () => {
    const copy = await withInventories({ time: "2026-02-21T01-00Z" });
    const bucket = { source: documentBucket, destination };
    const files = [[{ key: "invoices/1.pdf", size: 12 }]];
    await copy.look(async (aws) => {
      await putInventory(aws, { ...bucket, files, time: "2026-02-27T01-00Z" });
      await putInventory(aws, { ...bucket, files: [[]], time: "2026-02-14T01-00Z" });
      const isLast = (key: string) => key.endsWith("manifest.checksum");
      const written = (key: string, bytes: Uint8Array) => (isLast(key) ? undefined : bytes);
      await putInventory(aws, { ...bucket, files: [[]], time: "2026-02-28T01-00Z", written });
    });
    const json = await copy.run([...usage, "--engine", "inventory"]);
    const { inventories, groups } = JSON.parse(json.stdout) as {
      inventories: readonly { bucket: string }[];
      groups: readonly { bucket: string; bytes: number }[];
    };
    const text = await copy.run(["storage", "usage", "--no-record", "--engine", "inventory"]);
    await copy.remove();
    expect(inventories.find((each) => each.bucket === documentBucket)).toEqual({
      bucket: documentBucket,
      id: "all",
      asOf: "2026-02-27T01:00:00.000Z",
      format: "CSV",
      isCurrentOnly: false,
      passedOver: ["2026-02-28T01-00Z"],
    });
    expect(groups.filter((each) => each.bucket === documentBucket)).toMatchObject([
      { bytes: 12 },
      { bytes: 0, unfinished: { count: 1 } },
    ]);
    expect(text.stdout).toMatch(
      /^files as of +2026-02-27 01:00 UTC to 2026-02-28 01:00 UTC, by inventories$/m,
    );
    expect(text.stderr).toContain("unfinished uploads are in no inventory: they are counted as they are now");
    expect(text.stderr).toContain(
      `the inventory all of ${documentBucket} of 2026-02-28T01-00Z is not complete`,
    );
  });

  it.each([
    [
      "a data file",
      "-0.csv.gz",
      (bytes: Uint8Array) => bytes.map((byte, at) => (at === 9 ? byte ^ 1 : byte)),
    ],
    ["a data file that is cut off", "-0.csv.gz", (bytes: Uint8Array) => bytes.subarray(0, -20)],
    ["a manifest", "manifest.json", (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.from(" ")])],
    ["a Parquet file", "-0.parquet", (bytes: Uint8Array) => bytes.subarray(1)],
  ])("tells nothing of %s that is not what its checksum says", async (_what, ending, damage) => {
    const written = (key: string, bytes: Uint8Array) => (key.endsWith(ending) ? damage(bytes) : bytes);
    const format = ending.endsWith(".parquet") ? ("Parquet" as const) : ("CSV" as const);
    const copy = await withInventories({ written, format });
    const { exitCode, stdout, stderr } = await copy.run([...usage, "--engine", "inventory"]);
    await copy.remove();
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(new RegExp(`inventory ${destination}/lists/${documentBucket}/all/.*${ending}`));
  });

  it("names the file where a line at the beginning of a large one is none", async () => {
    const digest = (text: string) => createHash("sha256").update(text).digest("hex");
    const large = Array.from({ length: 5000 }, (_line, at) => ({ key: digest(String(at)), size: at }));
    const written = (key: string, bytes: Uint8Array) =>
      key.endsWith("-0.csv.gz") ? gzipSync(gunzipSync(bytes).toString().replace('","', '""')) : bytes;
    const copy = await withInventories({ written, files: [large] });
    const { exitCode, stdout, stderr } = await copy.run([...usage, "--engine", "inventory"]);
    await copy.remove();
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/-0\.csv\.gz: a line has other fields than the manifest says/);
  });

  it.each([
    ["of the future", { creationTimestamp: "9999999999999" }, "of a later time than it was written"],
    ["of no time", { creationTimestamp: "9999999999999999" }, "of a later time than it was written"],
    ["with a file twice", "twice", "it names a file twice"],
  ] as const)("believes no manifest %s", async (_what, change, why) => {
    let manifest = "";
    const written = (key: string, bytes: Uint8Array) => {
      if (key.endsWith("manifest.checksum"))
        return Buffer.from(createHash("md5").update(manifest).digest("hex"));
      if (!key.endsWith("manifest.json")) return bytes;
      const told = JSON.parse(Buffer.from(bytes).toString()) as { files: readonly object[] };
      const more = change === "twice" ? { files: [...told.files, ...told.files] } : change;
      manifest = JSON.stringify({ ...told, ...more });
      return Buffer.from(manifest);
    };
    const copy = await withInventories({ written });
    const { exitCode, stdout, stderr } = await copy.run([...usage, "--engine", "inventory"]);
    await copy.remove();
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain(why);
  });

  it.each(["CSV", "Parquet"] as const)("takes no size below zero from %s", async (format) => {
    const files = [
      [
        { key: "a.pdf", size: 5 },
        { key: "b.pdf", size: -5 },
      ],
    ];
    const copy = await withInventories({ files, format });
    const { exitCode, stdout, stderr } = await copy.run([...usage, "--engine", "inventory"]);
    await copy.remove();
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain("a size is no number of bytes");
  });

  it("names the field that is not in it where it is needed, and the rest is told", async () => {
    const fields = allFields.filter((field) => field !== "StorageClass");
    const copy = await withInventories({ fields });
    const byKind = await copy.run([...usage, "--engine", "inventory"]);
    const byClass = await copy.run([...usage, "--engine", "inventory", "--by", "class"]);
    const cost = await copy.run(["storage", "cost", "--json", "--engine", "inventory"]);
    await copy.remove();
    expect(byKind.exitCode).toBe(0);
    const why = "inventory all has no field StorageClass";
    for (const { exitCode, stdout, stderr } of [byClass, cost]) {
      expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: expect.stringContaining(why) as string });
      expect(JSON.parse(stdout)).toMatchObject({ failures: [{ what: `bucket ${documentBucket}`, why }] });
    }
  });

  it("says of which buckets the sums are without, and compares such sums with no earlier ones", async () => {
    const copy = await withInventories({ fields: allFields.filter((field) => field !== "Size") });
    await copy.run(["storage", "usage"]);
    const { exitCode, stdout } = await copy.run(["storage", "usage", "--engine", "inventory"]);
    await copy.remove();
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/^files +[\d,]+ objects?, .*, without 1 bucket$/m);
    expect(stdout).not.toMatch(/^since/m);
  });

  it("takes no bucket for missing because its inventories are, and ends with 3", async () => {
    const copy = await withInventories();
    await copy.look(async (aws) =>
      orderInventory(aws, { source: documentBucket, destination: "not-there-any-more" }),
    );
    const { exitCode, stdout } = await copy.run([...usage, "--engine", "inventory"]);
    await copy.remove();
    expect(exitCode).toBe(3);
    const { missing, failures } = JSON.parse(stdout) as Record<"missing" | "failures", unknown[]>;
    const what = `bucket ${documentBucket}`;
    expect(missing).not.toContain(what);
    expect(failures).toEqual([{ what, why: expect.stringContaining("none is complete yet") }]);
  });

  it("says where old versions are not in it, and takes one with all versions first", async () => {
    const fields = allFields.filter((field) => !["VersionId", "IsLatest", "IsDeleteMarker"].includes(field));
    const current = (lines.get(documentBucket) ?? []).filter(({ isLatest, isDeleteMarker }) =>
      Boolean(isLatest && !isDeleteMarker),
    );
    const currents = { versions: "Current", fields, files: [current], format: "Parquet" } as const;
    const copy = await withInventories({ id: "now", time: "2026-02-28T05-00Z", ...currents });
    const one = await copy.run([...usage, "--engine", "inventory"]);
    const text = await copy.run(["storage", "usage", "--no-record", "--engine", "inventory"]);
    const all = { source: documentBucket, destination, id: "whole", files: [[]] };
    await copy.look(async (aws) => {
      await orderInventory(aws, all);
      await putInventory(aws, all);
    });
    const other = await copy.run([...usage, "--engine", "inventory"]);
    await copy.remove();
    const everywhere = await withInventories({}, { fields });
    const bare = await everywhere.run(["storage", "usage", "--no-record", "--engine", "inventory"]);
    await everywhere.remove();
    expect(bare.stdout).toMatch(/^old versions +not known\ndelete markers +not known$/m);
    expect(JSON.parse(one.stdout)).toMatchObject({
      files: { noncurrent: { count: 0 }, markers: { count: 0 } },
    });
    expect(text.stderr).toContain(
      `now of ${documentBucket} has no old versions and delete markers: not counted`,
    );
    expect(JSON.parse(other.stdout)).toMatchObject({
      inventories: expect.arrayContaining([expect.objectContaining({ id: "whole" })]) as unknown,
    });
  });

  it("names buckets without one: none ordered, none complete yet", async () => {
    const copy = await home.copy();
    await copy.look((aws) => orderInventory(aws, { source: documentBucket, destination }));
    const { exitCode, stdout } = await copy.run([...usage, "--engine", "inventory"]);
    const text = await copy.run(["storage", "usage", "--engine", "inventory"]);
    const cost = await copy.run(["storage", "cost", "--engine", "inventory"]);
    const kept = await readFile(join(copy.folder, ".local", "state", "mawps", "usage"), "utf8").catch(
      () => "",
    );
    await copy.remove();
    expect([text.exitCode, cost.exitCode, kept]).toEqual([3, 3, ""]);
    expect(text.stdout).toMatch(/^files +not known$/m);
    expect(text.stdout).not.toMatch(/0 objects|0 versions|no files/);
    expect(cost.stdout).toContain(`without the files of ${lines.size} buckets; list prices`);
    expect(exitCode).toBe(3);
    const { failures, files, uncountedBuckets } = JSON.parse(stdout) as {
      failures: readonly { what: string; why: string }[];
      files: object | null;
      uncountedBuckets: readonly string[];
    };
    expect(files).toBeNull();
    expect(uncountedBuckets.toSorted()).toEqual([...lines.keys()].toSorted());
    expect(new Map(failures.map(({ what, why }) => [what, why]))).toEqual(
      new Map(
        [...lines.keys()].map((name) => [
          `bucket ${name}`,
          name === documentBucket
            ? "an inventory is ordered, but none is complete yet: the first takes up to 48 hours"
            : "no inventory of the whole bucket is ordered as CSV or Parquet",
        ]),
      ),
    );
  });

  it("keeps its sums under the day of the inventory, apart from those of listings", async () => {
    const copy = await withInventories();
    await copy.run(["storage", "usage", "--engine", "inventory"]);
    await copy.run(["storage", "usage"]);
    const kept = (await readFile(join(copy.folder, ".local", "state", "mawps", "usage"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { site: string; day: string });
    await copy.remove();
    expect(kept.map(({ day }) => day)).toEqual(["2026-02-28", "2026-03-01"]);
    expect(new Set(kept.map(({ site }) => site)).size).toBe(2);
  });
});
