import { describe, expect, it } from "vitest";
import { parseDocument } from "../../src/model/documents.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { defaultPeriods, type RetentionPeriods } from "../../src/model/retention.ts";
import { replacedVersions } from "../../src/retention/find-objects.ts";
import { decideDocument, duePictures, type Picture, type Rules } from "../../src/retention/rules.ts";

const at = new Date("2026-06-30T12:00:00.000Z");

function rules(periods: Partial<RetentionPeriods> = {}): Rules {
  const declared = mawps(defaultNames, { ...defaultPeriods, ...periods }).retention;
  return { byId: new Map(declared.map((rule) => [rule.id, rule])), at };
}

function ago(days: number, ms = 0): string {
  return new Date(at.getTime() - days * 86_400_000 + ms).toISOString();
}

describe("what is due for a document", () => {
  it.each<[string, Record<string, unknown>, string | undefined]>([
    ["deleted 30 days ago", { status: "DELETED", deletedAt: ago(30) }, "deleted-documents purge"],
    ["deleted a moment less ago", { status: "DELETED", deletedAt: ago(30, 1) }, undefined],
    ["deleted in the future", { status: "DELETED", deletedAt: ago(-400) }, undefined],
    ["deleted nobody knows when", { status: "DELETED" }, "deleted-documents keep"],
    ["deleted at no time", { status: "DELETED", deletedAt: "soon" }, "deleted-documents keep"],
    [
      "deleted on 30 February",
      { status: "DELETED", deletedAt: "2026-02-30T00:00:00Z" },
      "deleted-documents keep",
    ],
    [
      "deleted, status in small letters",
      { status: "deleted", deletedAt: ago(99) },
      "deleted-documents purge",
    ],
    ["restored, deletedAt left behind", { status: "READY", deletedAt: ago(99) }, undefined],
    ["half done since yesterday", { status: "UPLOADING", uploadedAt: ago(1) }, "half-done-uploads purge"],
    ["half done since today", { status: "UPLOADING", uploadedAt: ago(1, 1) }, undefined],
    ["being scanned since yesterday", { status: "SCANNING", uploadedAt: ago(2) }, "half-done-uploads purge"],
    [
      "half done, its link still good",
      { status: "UPLOADING", uploadedAt: ago(5), uploadUntil: ago(-1) },
      undefined,
    ],
    [
      "half done, its link ended",
      { status: "UPLOADING", uploadedAt: ago(5), uploadUntil: ago(1) },
      "half-done-uploads purge",
    ],
    ["half done nobody knows when", { status: "UPLOADING" }, "half-done-uploads keep"],
    ["expired", { status: "READY", expiresAt: ago(0) }, "expired-documents soft-delete"],
    ["expired, infected", { status: "INFECTED", expiresAt: ago(1) }, "expired-documents soft-delete"],
    ["expired, of the website", { expiresAt: ago(1) }, "expired-documents soft-delete"],
    ["not yet expired", { status: "READY", expiresAt: ago(0, 1) }, undefined],
    ["expiring at no time", { status: "READY", expiresAt: "never" }, undefined],
    ["expired and deleted lately", { status: "DELETED", expiresAt: ago(9), deletedAt: ago(9) }, undefined],
    ["ready", { status: "READY", uploadedAt: ago(4000) }, undefined],
    ["infected", { status: "INFECTED", uploadedAt: ago(4000) }, undefined],
    ["a foreign status", { status: "ARCHIVED", deletedAt: ago(99), expiresAt: ago(99) }, undefined],
    [
      "held, and long deleted",
      { status: "DELETED", deletedAt: ago(99), legalHold: "Klage" },
      "deleted-documents keep",
    ],
    ["held, and expired", { expiresAt: ago(99), legalHold: { reason: "Klage" } }, "expired-documents keep"],
    ["held, and nothing due", { status: "READY", legalHold: true }, undefined],
    [
      "no longer held",
      { status: "DELETED", deletedAt: ago(99), legalHold: false },
      "deleted-documents purge",
    ],
  ])("%s", (_name, attributes, expected) => {
    const verdict = decideDocument(parseDocument({ id: "d", s3Key: "k", ...attributes }), rules());
    expect(verdict === undefined ? undefined : `${verdict.rule.id} ${verdict.action}`).toBe(expected);
  });

  it.each([
    ["deletedDocuments", { status: "DELETED", deletedAt: ago(9999) }],
    ["halfDoneUploads", { status: "UPLOADING", uploadedAt: ago(9999) }],
    ["expiredDocuments", { expiresAt: ago(9999) }],
  ] as const)("is nothing when %s is off", (period, attributes) => {
    expect(decideDocument(parseDocument(attributes), rules({ [period]: "off" }))).toBeUndefined();
  });

  it.each([
    ["a text", "Klage 12 C 34/26", "legal hold: Klage 12 C 34/26"],
    ["a map with a reason", { reason: "Klage", since: ago(3) }, "legal hold: Klage"],
    ["true alone", true, "legal hold: no reason given"],
  ])("tells the reason of a hold that is %s", (_name, legalHold, reason) => {
    const document = parseDocument({ status: "DELETED", deletedAt: ago(99), legalHold });
    expect(decideDocument(document, rules())?.reason).toBe(reason);
  });
});

describe("which pictures are due", () => {
  const picture = (id: string, days: number, more: Partial<Picture> = {}): Picture => ({
    id,
    role: "default",
    sinceMs: Date.parse(ago(days)),
    isReferenced: false,
    ...more,
  });
  const old = (count: number) => Array.from({ length: count }, (_, n) => picture(`p${n}`, 100 + n));

  it.each<[string, readonly Picture[], Partial<RetentionPeriods>, readonly string[]]>([
    ["the newest five stay", old(7), {}, ["p5", "p6"]],
    ["five are few enough", old(5), {}, []],
    ["young ones stay, however many", [...old(5), picture("young", 89)], {}, ["p4"]],
    ["none that is young goes", Array.from({ length: 9 }, (_, n) => picture(`y${n}`, 80)), {}, []],
    ["what is live does not count", [picture("live", 95, { isReferenced: true }), ...old(6)], {}, ["p5"]],
    [
      "what is live stays, however old",
      [picture("live", 999, { isReferenced: true }), ...old(6)],
      {},
      ["p5"],
    ],
    ["hover images count apart", [...old(5), picture("h", 100, { role: "hover" })], {}, []],
    ["as many as configured stay", old(3), { keepImages: 1 }, ["p1", "p2"]],
    ["the rule is off", old(9), { unreferencedImages: "off" }, []],
  ])("%s", (_name, pictures, periods, expected) => {
    expect(duePictures(pictures, rules(periods)).map(({ id }) => id)).toEqual(expected);
  });
});

describe("which versions are due", () => {
  const rule = {
    id: "noncurrent-versions",
    what: "",
    action: "purge",
    by: "lifecycle",
    afterDays: 30,
  } as const;
  const version = (id: string, days: number, isDeleteMarker = false) => ({
    key: "k",
    version: id,
    isLatest: false,
    isDeleteMarker,
    sizeBytes: 1,
    etag: "e",
    lastModified: new Date(ago(days)),
  });
  const marker = (id: string, days: number) => version(id, days, true);

  it.each<[string, readonly ReturnType<typeof version>[], readonly string[]]>([
    ["replaced 30 days ago, however old itself", [version("b", 30), version("a", 900)], ["a"]],
    ["replaced lately, however old itself", [version("b", 29), version("a", 900)], []],
    ["the current one alone", [version("a", 900)], []],
    ["deleted 30 days ago", [marker("m", 30), version("a", 31)], ["a"]],
    ["a marker with nothing under it", [marker("m", 30)], ["m"]],
    ["a young marker with nothing under it", [marker("m", 29)], []],
    ["a marker that was replaced", [version("b", 40), marker("m", 50), version("a", 60)], ["m", "a"]],
    ["each by its own successor", [version("c", 5), version("b", 31), version("a", 90)], ["a"]],
  ])("%s", (_name, versions, expected) => {
    const latestFirst = versions.map((each, at) => ({ ...each, isLatest: at === 0 }));
    const replaced = replacedVersions(rules(), rule, { key: "k", versions: latestFirst });
    expect(replaced.map(({ listed }) => listed.version)).toEqual(expected);
  });

  it("leaves the anchor of the audit trail to the bucket's own rules", () => {
    const versions = [version("b", 99), version("a", 99)];
    expect(replacedVersions(rules(), rule, { key: "audit/mawps-audit-log/main.json", versions })).toEqual([]);
  });

  it("is nothing without a time from S3", () => {
    const versions = [{ ...version("b", 99), lastModified: undefined }, version("a", 99)];
    expect(replacedVersions(rules(), rule, { key: "k", versions })).toEqual([]);
  });
});
