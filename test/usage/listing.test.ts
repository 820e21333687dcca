import { afterAll, beforeAll, expect, it } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import { deleteObject, putObject } from "../../src/aws/s3/objects.ts";
import { boundaries, walkVersions } from "../../src/usage/listing.ts";
import { documentBucket as bucket } from "../support/documents.ts";
import { makeHome, type TestHome } from "../support/world.ts";

let home: TestHome;

const keys = [
  // On, before and behind the places at which the listing is parted.
  ..."0123456789abcdefgAZ~ü😀".split(/(?:)/u).flatMap((letter) => [`docs/${letter}`, `docs/${letter}/1`]),
  "docs/",
  "docs",
  "a",
  "dod",
  "users/f",
  "users/user-1/a",
  "z",
  "\uE000",
];

beforeAll(async () => {
  home = await makeHome();
  await home.look(async (aws) => {
    for (const key of keys) await putObject(aws, { bucket, key, body: Buffer.from(key) });
    await putObject(aws, { bucket, key: "docs/4", body: Buffer.from("again") });
    await putObject(aws, { bucket, key: "docs", body: Buffer.from("again") });
    await deleteObject(aws, { bucket, key: "users/f" });
  });
});
afterAll(() => home.remove());

async function walked(aws: Aws, more: { pageSize?: number; prefixes?: string[] }): Promise<string[]> {
  const found: string[] = [];
  await walkVersions(aws, {
    bucket,
    starts: ["docs/", "users/", "ü/"],
    needs: [],
    signal: new AbortController().signal,
    ...more,
    onPieces: (pieces) =>
      void found.push(
        ...pieces.map(({ key, part, bytes }) => `${key} ${part === "markers" ? "marker" : bytes}`),
      ),
  });
  return found.filter((name) => !name.startsWith("audit/")).sort();
}

const all = [
  ...keys.map((key) => `${key} ${Buffer.byteLength(key)}`),
  "docs/4 5",
  "docs 5",
  "users/f marker",
].sort();

it.each([1, 3, 1000])("every version and marker is seen once, %i a page", async (pageSize) => {
  expect(await home.look((aws) => walked(aws, { pageSize }))).toEqual(all);
});

/** Texts behind which listings begin that are no keys a page ended with. */
async function begunBehind(aws: Aws, skip: number): Promise<{ found: string[]; markers: string[] }> {
  const markers: string[] = [];
  const { middlewareStack } = await aws.s3();
  middlewareStack.add(
    (next) => async (args) => {
      const { KeyMarker, VersionIdMarker } = args.input as Record<string, string | undefined>;
      const result = await next(args);
      if (KeyMarker === undefined || VersionIdMarker !== undefined) return result;
      markers.push(KeyMarker);
      (result.output as { Versions?: unknown[] }).Versions?.splice(0, skip);
      return result;
    },
    { step: "initialize", name: "markers" },
  );
  return { found: await walked(aws, { pageSize: 3 }), markers };
}

it("a large bucket is listed in ranges", async () => {
  const { markers } = await home.look((aws) => begunBehind(aws, 0));
  expect(markers).toEqual(expect.arrayContaining(["docs/e", "docs/f", "users/a"]));
});

it("a server that skips the first version behind a text that is no key is listed in one go", async () => {
  const { found, markers } = await home.look((aws) => begunBehind(aws, 1));
  expect(found).toEqual(all);
  expect(markers).toHaveLength(1);
});

it("only what begins with a prefix is seen", async () => {
  expect(await home.look((aws) => walked(aws, { pageSize: 1, prefixes: ["users/", "docs/a"] }))).toEqual(
    all.filter((name) => name.startsWith("users/") || name.startsWith("docs/a")),
  );
});

it("a listing is parted behind the beginnings of keys and at the digits that follow them", () => {
  expect(boundaries(["users/", "ü/", ""])).toEqual([
    "users/",
    ..."0123456789abcdef".split("").map((digit) => `users/${digit}`),
  ]);
});
