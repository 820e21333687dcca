import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import model from "../../models/mawps.json" with { type: "json" };
import { settings } from "../../src/config/settings.ts";
import { keysText } from "../../src/model/declaration.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { readModel } from "../../src/model/read.ts";
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

it("is the one place that names MAWPS's buckets and tables", async () => {
  const root = join(import.meta.dirname, "../..");
  const site = Object.entries({ buckets: model.buckets, tables: model.tables }).flatMap(([group, stores]) =>
    Object.entries(stores).map(([role, { name }]) => ({ key: `${group}.${role}`, name })),
  );
  const found = await readdir(join(root, "src"), { recursive: true });
  const files = found.filter((file) => file.endsWith(".ts"));
  const naming = new Set<string>();
  for (const file of files) {
    const text = await readFile(join(root, "src", file), "utf8");
    if (site.some(({ name }) => new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(text))) naming.add(file);
  }
  expect(files.length).toBeGreaterThan(500);
  expect([...naming]).toEqual([]);
  const defaults = Object.entries(settings).flatMap(([key, { fallback }]) =>
    /^(buckets|tables)\./.test(key) ? [{ key, name: fallback }] : [],
  );
  expect(site).toEqual(expect.arrayContaining(defaults));
  expect(defaults.length).toBeGreaterThan(7);
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
