import { describe, expect, it } from "vitest";
import { keysText } from "../../src/model/declaration.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { defaultPeriods } from "../../src/model/retention.ts";

describe("the declaration", () => {
  it("takes every name from the configuration", () => {
    const names = {
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
