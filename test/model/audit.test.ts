import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plain, typed } from "../../src/aws/dynamodb/plain.ts";
import { chained, emptyHead, entryHash, isEntry, type Signer, type Writer } from "../../src/model/audit.ts";
import { detailsOf, type AuditDetails } from "../../src/model/audit-details.ts";

const writer: Writer & Signer = {
  actor: "local:manuel",
  userAgent: "mawps/0.1.0 node/20.20.0 linux",
  retentionDays: 2557,
  now: () => new Date("2026-03-01T12:00:00.000Z"),
  newId: () => "6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b",
  writer: "key",
  sign: () => "signed",
};

const details = fc.record(
  {
    name: fc.string({ unit: "binary", maxLength: 1100 }),
    key: fc.string({ maxLength: 50 }),
    sizeBytes: fc.maxSafeInteger(),
    isMember: fc.boolean(),
    tags: fc.array(fc.string({ unit: "binary" }), { maxLength: 5 }),
  },
  { requiredKeys: [] },
);

describe("entries", () => {
  it("have a hash that anybody can compute from the docs", () => {
    const [entry] = chained(emptyHead, [{ action: "backup.created", details: { backupId: "b1" } }], writer);
    const zeros = "0".repeat(64);
    const canonical =
      '{"action":"backup.created","actor":"local:manuel","chain":"main","details":{"backupId":"b1"},' +
      `"id":"6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b","previousHash":"${zeros}","previousTtl":0,"sequence":1,` +
      '"signature":"signed","timestamp":"2026-03-01T12:00:00.000Z","ttl":1993291200,' +
      '"userAgent":"mawps/0.1.0 node/20.20.0 linux","writer":"key"}';
    expect(entry?.hash).toBe(createHash("sha256").update(canonical).digest("hex"));
    // Computed by Python's hashlib over the same text.
    expect(entry?.hash).toBe("7cf017707edacd57a11c9f25b7278d776679a4e458ce34e047ecbb35ca0d390f");
  });

  it("come back from DynamoDB's typed form with the hash that they were given", () => {
    fc.assert(
      fc.property(fc.array(details, { minLength: 1, maxLength: 4 }), (given) => {
        const events = given.map((each) => ({
          action: "document.uploaded" as const,
          details: each as AuditDetails,
        }));
        let previous: { sequence: number; hash: string } = emptyHead;
        for (const entry of chained(emptyHead, events, writer)) {
          const stored = plain(typed(JSON.parse(Buffer.from(JSON.stringify(entry)).toString())).M ?? {});
          expect(isEntry(stored)).toBe(true);
          expect(entryHash(stored)).toBe(entry.hash);
          expect([entry.sequence, entry.previousHash]).toEqual([previous.sequence + 1, previous.hash]);
          previous = entry;
        }
      }),
    );
  });
});

describe("details", () => {
  it.each<{ name: string; given: AuditDetails; stored: Record<string, unknown> }>([
    {
      name: "plain values",
      given: { name: "a", sizeBytes: 1, isMember: false, tags: [] },
      stored: { name: "a", sizeBytes: 1, isMember: false, tags: [] },
    },
    { name: "nothing for undefined", given: { name: undefined }, stored: {} },
    {
      name: "the beginning of a long text",
      given: { name: "x".repeat(2000) },
      stored: { name: `${"x".repeat(1023)}…` },
    },
    {
      name: "100 of many texts",
      given: { tags: Array.from({ length: 200 }, () => "t") },
      stored: { tags: Array.from({ length: 100 }, () => "t") },
    },
    {
      name: "a URL without its query",
      given: { url: "https://a.example/b.jpg?X-Amz-Signature=abc#d" },
      stored: { url: "https://a.example/b.jpg" },
    },
    { name: "a whole character for half of one", given: { name: "a\uD83D" }, stored: { name: "a\uFFFD" } },
  ])("keep $name", ({ given, stored }) => {
    expect(detailsOf(given)).toEqual(stored);
  });

  it.each([
    "https://b.s3.eu-central-1.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA&X-Amz-Signature=00",
    "https://b.s3.amazonaws.com/k?AWSAccessKeyId=AKIA&Expires=1&Signature=abc",
    "x-amz-security-token=FwoGZXIvYXdzE",
    "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
  ])("never keep what grants access: %s", (secret) => {
    const stored = JSON.stringify(detailsOf({ name: secret, key: `a ${secret}`, tags: [secret] }));
    expect(stored).not.toMatch(/Signature=|Credential|Token=|token=|eyJ/);
    expect(stored).toContain("[removed: grants access]");
  });

  it.each<{ name: string; given: object }>([
    { name: "a key that is not in the allow-list", given: { content: "Dear Sir" } },
    { name: "a key of every object", given: { constructor: "x" } },
    { name: "a number for a text", given: { name: 1 } },
    { name: "a text for a number", given: { sizeBytes: "1" } },
    { name: "a fraction", given: { sizeBytes: 0.1 } },
    { name: "a number that is not exact", given: { sizeBytes: 2 ** 53 } },
    { name: "a map", given: { tags: { a: "b" } } },
    { name: "a list of lists", given: { tags: [["a"]] } },
    { name: "null", given: { name: null } },
  ])("refuse $name", ({ given }) => {
    expect(() => detailsOf(given as AuditDetails)).toThrow(TypeError);
  });
});
