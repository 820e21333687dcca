import { expect, it } from "vitest";
import { keyedHash } from "../../src/model/hash.ts";
import { personalBuckets } from "../../src/model/links.ts";
import { mawpsModel } from "../../src/model/mawps.ts";
import type { Model } from "../../src/model/schema.ts";
import { ownerOfKey } from "../../src/retention/find-objects.ts";
import { decide } from "../../src/retention/find-rows.ts";
import { holdingOf, type RetentionSite } from "../../src/retention/site.ts";

const salt = "00ff";
const hold = { sequence: 1, userId: "u-1", reason: "case 1", since: "2026-01-01T00:00:00.000Z", salt };
const holding = holdingOf([{ ...hold, hashes: ["u-1", "max@example.com"].map((id) => keyedHash(id, salt)) }]);

const expires: Model["entities"][string]["expires"] = [
  { id: "old", what: "old letters", after: 30, since: "at", do: "delete", by: "run" },
];
const links = (by: string): Model["entities"][string]["links"] => [
  { subject: "people", role: "subject", by, find: "scan", erase: "delete" },
];
const from = { table: "letters" };
const model = {
  subjects: { people: { what: "people", accounts: "table", ids: ["id", "email"] } },
  tables: { letters: { name: "letters", key: ["id"] } },
  entities: {
    byId: { what: "letters", from, links: links("owner"), expires },
    byAddress: { what: "letters", from, links: links("email"), expires },
  },
} as unknown as Model;
const rules = {
  byId: new Map([
    ["old", { id: "old", what: "old letters", action: "purge" as const, by: "run" as const, afterDays: 30 }],
  ]),
  at: new Date("2026-06-30T12:00:00.000Z"),
};

it.each([
  ["byId", { owner: "u-1" }, "keep"],
  ["byId", { owner: "u-12" }, "purge"],
  ["byAddress", { email: "max@example.com" }, "keep"],
  ["byAddress", { email: "Max@Example.com" }, "keep"],
  ["byAddress", { email: "eva@example.com" }, "purge"],
] as const)("a row %s of %j is to %s", (entity, whose, action) => {
  const fields = { id: "l-1", at: "2026-01-01T00:00:00.000Z", ...whose };
  const stored = { entity, table: "letters", key: { id: "l-1" }, fields, bytes: 1, raw: {} };
  expect(decide({ model, rules, holding }, stored)?.action).toBe(action);
});

it.each([
  ["public/documents/user-1/cv/1734384121711-letter.pdf", "user-1"],
  ["public/documents/user-1/letter.pdf", "user-1"],
  ["users/user-1/applications/letter.pdf", "user-1"],
  ["odd/letter.pdf", null],
])("MAWPS's file %s is of %s, also for a hold", (key, owner) => {
  const personal = new Map(personalBuckets(mawpsModel).map((each) => [each.role, each]));
  const site = { documents: {}, model: mawpsModel, files: [], personal } as unknown as RetentionSite;
  expect(ownerOfKey(site, "userFiles", key)).toBe(owner);
});
