import { describe, expect, it } from "vitest";
import { derivedAttributes, isInKeyOnly } from "../../src/model/derived.ts";
import { momentOf } from "../../src/model/moments.ts";

const profile = {
  fields: {
    userId: "text",
    isDefault: "boolean",
    expiresAt: "isoTime",
    defaultKey: { type: "text", derive: "{isDefault}" },
    log: { type: "text", derive: "all" },
    ttl: { type: "epochSeconds", derive: { epochSecondsOf: "expiresAt" } },
  },
  key: { PK: "TEAM#{teamId}", SK: "METADATA", GSI1PK: "ORG#{organizationId}", GSI1SK: "TEAM#{teamId}" },
} as const;

describe("what follows from the fields of an item", () => {
  it("are keys by their templates, texts of booleans, what is the same for all, and the end of a life in seconds", () => {
    const fields = {
      teamId: "t-1",
      organizationId: "o-1",
      isDefault: false,
      expiresAt: "2026-03-01T00:00:00.999Z",
    };
    expect(derivedAttributes(profile, fields)).toEqual({
      PK: "TEAM#t-1",
      SK: "METADATA",
      GSI1PK: "ORG#o-1",
      GSI1SK: "TEAM#t-1",
      defaultKey: "false",
      log: "all",
      ttl: 1_772_323_200,
    });
  });

  it("leaves out what a field is missing for: the item is not in that index", () => {
    expect(derivedAttributes(profile, { teamId: "t-1", expiresAt: "soon" })).toEqual({
      PK: "TEAM#t-1",
      SK: "METADATA",
      GSI1SK: "TEAM#t-1",
      log: "all",
    });
  });

  it("is of a change only what follows from it", () => {
    const fields = { teamId: "t-1", organizationId: "o-2", isDefault: true };
    expect(derivedAttributes(profile, fields, ["organizationId"])).toEqual({ GSI1PK: "ORG#o-2" });
    expect(derivedAttributes(profile, fields, ["isDefault"])).toEqual({ defaultKey: "true" });
  });

  it("refuses a value that would be read back as another", () => {
    const key = { SK: "TIMESTAMP#{at}#{id}" };
    expect(() => derivedAttributes({ key }, { at: "1#2", id: "x" })).toThrow(RangeError);
  });

  it.each([
    ["teamId", true],
    ["userId", false],
    ["PK", false],
  ])("%s is part of a key alone: %s", (name, expected) => {
    expect(isInKeyOnly(profile, name)).toBe(expected);
  });
});

describe("the moment that a field holds", () => {
  const fields = { iso: "isoTime", seconds: "epochSeconds", ms: "epochMs" } as const;
  const at = Date.parse("2026-03-01T00:00:00.000Z");

  it.each([
    ["iso", "2026-03-01T00:00:00.000Z", at],
    ["seconds", at / 1000, at],
    ["seconds", String(at / 1000), at],
    ["ms", at, at],
    ["of-a-key", "2026-03-01T00:00:00.000Z", at],
    ["iso", at, undefined],
    ["iso", "2026-02-30T00:00:00Z", undefined],
    ["seconds", "soon", undefined],
    ["seconds", 1e300, undefined],
    ["ms", undefined, undefined],
  ])("%s: %s", (field, value, expected) => {
    expect(momentOf({ fields }, field, value)).toBe(expected);
  });
});
