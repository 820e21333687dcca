import { describe, expect, it } from "vitest";
import type { StoredCorsRule } from "../../src/aws/s3/bucket-settings.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { mergedCors, missingCors } from "../../src/setup/cors.ts";

const anywhere = mawps(defaultNames).buckets[0]?.cors ?? [];
const configured =
  mawps({ ...defaultNames, websiteOrigins: ["https://mawps.example"] }).buckets[0]?.cors ?? [];

function rule(more: Partial<StoredCorsRule> = {}): StoredCorsRule {
  return {
    AllowedOrigins: ["https://mawps.example"],
    AllowedMethods: ["GET", "PUT", "HEAD"],
    AllowedHeaders: ["*"],
    ...more,
  };
}

describe("what browsers may do", () => {
  it.each<{ name: string; stored: StoredCorsRule[]; wanted: typeof anywhere; misses: number }>([
    { name: "nothing is stored", stored: [], wanted: anywhere, misses: 1 },
    { name: "the site's own rule does it", stored: [rule()], wanted: anywhere, misses: 0 },
    { name: "its origin is the configured one", stored: [rule()], wanted: configured, misses: 0 },
    {
      name: "a wildcard covers it",
      stored: [rule({ AllowedOrigins: ["https://*.example"] })],
      wanted: configured,
      misses: 0,
    },
    {
      name: "it is for another origin",
      stored: [rule({ AllowedOrigins: ["https://other.example"] })],
      wanted: configured,
      misses: 1,
    },
    {
      name: "it only reads",
      stored: [rule({ AllowedMethods: ["GET", "HEAD"] })],
      wanted: anywhere,
      misses: 1,
    },
    { name: "it takes no header", stored: [rule({ AllowedHeaders: [] })], wanted: anywhere, misses: 1 },
    {
      name: "two rules do it together",
      stored: [rule({ AllowedMethods: ["PUT"] }), rule({ AllowedMethods: ["GET", "HEAD"] })],
      wanted: anywhere,
      misses: 0,
    },
  ])("misses $misses when $name", ({ stored, wanted, misses }) => {
    expect(missingCors(stored, wanted)).toHaveLength(misses);
    expect(missingCors(mergedCors(stored, missingCors(stored, wanted)), wanted)).toEqual([]);
  });

  it("keeps the rules of others as they are", () => {
    const theirs = rule({ AllowedMethods: ["GET"], ID: "theirs" });
    expect(mergedCors([theirs], anywhere)).toMatchObject([theirs, { ID: "mawps-browser-uploads" }]);
  });
});
