import { expect, it } from "vitest";
import { findingIn, told } from "../../src/doctor/finding.ts";
import { nameIn } from "../../src/doctor/sentences/checks.ts";

it("a finding carries its code and values, and its English", () => {
  expect(told("warning", "disk-full", { freeBytes: 1_500_000 })).toEqual({
    status: "warning",
    code: "disk-full",
    values: { freeBytes: 1_500_000 },
    message: "only 1.5 MB free",
    remedy: "make room on the disk",
  });
});

const age = {
  at: "2026-03-01T03:04:05.678Z",
  age: { number: 12, unit: "days" },
  most: { number: 26, unit: "h" },
} as const;
const tries = {
  isPolicyPublic: true,
  open: [{ what: "list", by: "HTTP 200" }],
  unknown: [{ what: "read", by: "HTTP 503" }],
} as const;

it.each([
  ["sizes", told("warning", "disk-full", { freeBytes: 1_500_000 }), "nur 1,5 MB frei"],
  [
    "moments",
    told("warning", "backup-old", age),
    "die letzte ist von 01.03.2026 03:04:05 UTC, vor 12 Tagen; erlaubt sind 26 h",
  ],
  ["a version, which stays", told("problem", "node-old", { oldest: "20.19" }), "ist älter als 20.19"],
  [
    "several things",
    told("problem", "bucket-open", tries),
    "für S3 ist die Richtlinie öffentlich; jeder kann ihn auflisten (HTTP 200); ob jeder seine Objekte lesen kann, ist nicht bekannt: HTTP 503",
  ],
  [
    "one, and a first few of many",
    told("warning", "uploads-open", { left: 1, days: 7, most: 10_000 }),
    "1 liegt länger als 7 Tage offen, von den ersten 10.000; vielleicht sind es mehr",
  ],
  [
    "what others answered, which stays",
    told("problem", "failed", { why: "User is not authorized", hint: undefined }),
    "User is not authorized",
  ],
])("%s in German", (_name, finding, german) => {
  expect(findingIn("de", finding).message).toBe(german);
});

it("names of checks are German where they are this tool's, and no name of a user's things is taken for one", () => {
  expect(["audit trail", "hero image", "toString", "a-bucket"].map((name) => nameIn("de", name))).toEqual([
    "Protokoll",
    "Titelbild",
    "toString",
    "a-bucket",
  ]);
  expect(nameIn("en", "audit trail")).toBe("audit trail");
});
