import { readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { describe, expect, it } from "vitest";
import model from "../../models/mawps.json" with { type: "json" };
import { settings } from "../../src/config/settings.ts";
import { keysText } from "../../src/model/declaration.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { readModel } from "../../src/model/read.ts";
import type { Model } from "../../src/model/schema.ts";
import { shippedModels } from "../../src/model/shipped.ts";
import { defaultPeriods } from "../../src/model/retention.ts";
import golden from "./mawps-declaration.json" with { type: "json" };

describe("models/mawps.json", () => {
  it("is a model, and what is loaded at start is what a reading of it gives", async () => {
    const file = await readFile(join(import.meta.dirname, "../../models/mawps.json"), "utf8");
    expect(readModel(file)).toEqual({ model });
  });

  it("gives the declaration that MAWPS has always had", () => {
    const off = { ...defaultPeriods, keepImages: 3 };
    for (const key of Object.keys(off) as (keyof typeof off)[])
      if (key !== "keepImages") Object.assign(off, { [key]: "off" });
    const renamed = mawps(
      {
        region: "us-east-1",
        buckets: { publicMedia: "bucket-one", userFiles: "bucket-two", profileImages: "bucket-three" },
        tables: {
          userProfiles: "t-one",
          digitalTwin: "t-two",
          auditLog: "t-three",
          migrations: "t-four",
          userDocuments: "t-five",
        },
        userPoolId: "us-east-1_abc",
        websiteOrigins: ["https://origin-one.example"],
        newTableShape: "composite",
      },
      {
        deletedDocuments: 31,
        expiredDocuments: 2,
        halfDoneUploads: 3,
        multipartUploads: 4,
        noncurrentVersions: 5,
        unreferencedImages: 6,
        auditEntries: 8,
        keepImages: 9,
        keepTwinVersions: 11,
      },
    );
    expect({ byDefault: mawps(defaultNames), renamed, off: mawps(defaultNames, off) }).toStrictEqual(golden);
  });
});

const root = join(import.meta.dirname, "../..");

/** Files of src that name one of these as a whole word, each with which. */
async function naming(names: readonly string[]): Promise<string[]> {
  const files = (await readdir(join(root, "src"), { recursive: true })).filter((file) =>
    file.endsWith(".ts"),
  );
  expect(files.length).toBeGreaterThan(500);
  const word = new RegExp(`(?<![\\w-])(?:${names.join("|")})(?![\\w-])`, "g");
  const named = await Promise.all(
    files.map(async (file) => {
      const found = (await readFile(join(root, "src", file), "utf8")).match(word) ?? [];
      return [...new Set(found)].map((name) => `${file.replaceAll(sep, "/")}: ${name}`);
    }),
  );
  return named.flat();
}

it("is the one place that names MAWPS's buckets and tables", async () => {
  const site = Object.entries({ buckets: model.buckets, tables: model.tables }).flatMap(([group, stores]) =>
    Object.entries(stores).map(([role, { name }]) => ({ key: `${group}.${role}`, name })),
  );
  const where = await naming(site.map(({ name }) => name));
  expect(where).toEqual([]);
  const defaults = Object.entries(settings).flatMap(([key, { fallback }]) =>
    /^(buckets|tables)\./.test(key) ? [{ key, name: fallback }] : [],
  );
  expect(site).toEqual(expect.arrayContaining(defaults));
  expect(defaults.length).toBeGreaterThan(7);
});

/** Every attribute that a model speaks of: of keys and indexes, fields, places in items, predicates, features. */
function attributesOf({ tables, entities, features }: Model): string[] {
  const keys = Object.values(tables).flatMap(({ key = [], shapes = [], indexes = {}, ttl = [] }) =>
    [key, shapes.map((shape) => shape.key), Object.values(indexes).map((index) => index.key), ttl].flat(2),
  );
  const fields = Object.values(entities).flatMap(({ at = "", fields = {}, key = {}, when = {} }) => [
    at.replace("[]", ""),
    ...[fields, typeof key === "object" && !Array.isArray(key) ? key : {}, when].flatMap((each) =>
      Object.keys(each),
    ),
  ]);
  return [...keys, ...fields, features?.progress?.updatedAt ?? ""].filter((name) => name !== "");
}

/** Of MAWPS alone, and words for all that beside. */
const plainWords: Readonly<Record<string, string>> = {
  apiKey: "an example in the schema of models of what a secret is called",
  documentId: "how entries of the audit trail name a document, of whatever site",
  documents: "the noun, of every site",
  google: "a maker of browsers",
  pages: "of answers, of a report, of the website",
  sections: "of a report, of a text",
};

it("is the one place that names attributes that MAWPS alone has, beside src/site", async () => {
  const [mawpsModel, ...others] = await Promise.all(Object.values(shippedModels).map(async (load) => load()));
  // What a feature calls a field is the tool's own word for it.
  const known = new Set([
    ...others.flatMap(attributesOf),
    ...Object.values(model.features).flatMap((feature) =>
      Object.keys("fields" in feature ? feature.fields : {}),
    ),
  ]);
  const own = new Set(attributesOf(mawpsModel as Model).filter((name) => !known.has(name)));
  expect(Object.keys(plainWords).filter((word) => !own.has(word))).toEqual([]);
  const names = [...own].filter((name) => !(name in plainWords));
  expect(names).toEqual(expect.arrayContaining(["profileImageHover", "progressData", "s3Url", "settingKey"]));
  const where = await naming(names);
  expect(where.filter((each) => !each.startsWith("site/"))).toEqual([]);
  expect(where.length).toBeGreaterThan(0);
});

describe("the declaration", () => {
  it("takes every name from the configuration", () => {
    const names = {
      region: "us-east-1",
      buckets: {
        publicMedia: "bucket-one",
        userFiles: "bucket-two",
        profileImages: "bucket-three",
        heroVideos: "bucket-four",
        website: "bucket-five",
      },
      tables: {
        userProfiles: "t-one",
        digitalTwin: "t-two",
        auditLog: "t-three",
        migrations: "t-four",
        userDocuments: "t-five",
        settings: "t-six",
        userData: "t-seven",
      },
      userPoolId: "us-east-1_abc",
      websiteOrigins: ["https://origin-one.example"],
      newTableShape: "composite",
    } as const;
    const text = JSON.stringify(mawps(names));
    expect(text).not.toContain("manuel-weiss");
    expect(text).not.toContain("mawps-user");
    expect(text).not.toContain("eu-central-1");
    for (const name of [
      "bucket-one",
      "bucket-two",
      "bucket-three",
      "t-one",
      "t-two",
      "t-three",
      "t-four",
      "t-five",
      "us-east-1_abc",
      "https://origin-one.example",
    ]) {
      expect(text).toContain(name);
    }
  });

  it("blocks everything public on the private bucket, and only ACLs on the public one", () => {
    const [open, closed] = mawps(defaultNames).buckets;
    expect(Object.values(closed?.publicAccessBlock ?? {})).toEqual([true, true, true, true]);
    expect(open?.publicAccessBlock).toMatchObject({ blockPublicAcls: true, blockPublicPolicy: false });
    expect(closed?.policy.filter(({ Effect }) => Effect === "Allow")).toEqual([]);
  });

  it("knows both shapes of the profile table, whichever a new one gets", () => {
    const [simple] = mawps(defaultNames).tables;
    const [composite] = mawps({ ...defaultNames, newTableShape: "composite" }).tables;
    const shapes = (table = simple) =>
      [table?.keys, ...(table?.alsoRight ?? [])].map((k) => k && keysText(k));
    expect(shapes(simple)).toEqual(["userId (S)", "userId (S) + type (S)"]);
    expect(shapes(composite)).toEqual(["userId (S) + type (S)", "userId (S)"]);
  });

  it("declares no rule for a period that is off", () => {
    const declared = mawps(defaultNames, {
      ...defaultPeriods,
      noncurrentVersions: "off",
      auditEntries: "off",
    });
    expect(declared.retention.map(({ id }) => id)).not.toContain("noncurrent-versions");
    expect(declared.retention.map(({ id }) => id)).not.toContain("audit-entries");
    expect(declared.buckets.flatMap(({ lifecycle }) => lifecycle.map(({ id }) => id))).toEqual([
      "mawps-abort-multipart",
      "mawps-abort-multipart",
    ]);
  });

  it("names only its own buckets and tables where it says what is whose", () => {
    const { owned, buckets, tables } = mawps(defaultNames);
    const roles = [...buckets, ...tables].map(({ role }) => role);
    for (const entry of owned) expect(roles).toContain(entry.kind === "objects" ? entry.bucket : entry.table);
    const prefixes = owned.flatMap((entry) => (entry.kind === "objects" ? [entry.prefix] : []));
    for (const prefix of prefixes) expect(prefix.split("{userId}")).toHaveLength(2);
  });
});
