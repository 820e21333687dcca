import { expect, it } from "vitest";
import prework from "../../models/prework.json" with { type: "json" };
import { whyNoDocuments, whyNoRetention } from "../../src/model/reach.ts";
import type { Entity, Model } from "../../src/model/schema.ts";

const model = prework as unknown as Model;
const { profiles, files, exportFiles } = model.entities as Record<
  "profiles" | "files" | "exportFiles",
  Entity
>;
const sql = { database: "main", table: "invoices" };

it.each<[string, Record<string, Entity>, string | undefined]>([
  ["as it is", {}, undefined],
  [
    "objects that keep their newest",
    {
      exportFiles: {
        ...exportFiles,
        expires: [{ id: "e", what: "e", after: 1, keepNewest: 3, do: "delete", by: "run" }],
      },
    },
    "exportFiles keep their newest, which are told for MAWPS's own pictures alone",
  ],
  [
    "rows of SQL that name objects which expire",
    { invoices: { ...profiles, from: sql, refs: { pdf: ["object:templateFiles", "object:exportFiles"] } } },
    undefined,
  ],
  [
    "rows of SQL that name files which go with rows",
    { invoices: { ...profiles, from: sql, refs: { number: "profiles.id", pdf: "object:uploadFiles" } } },
    undefined,
  ],
  [
    "parts of items that name objects which expire",
    { reports: { ...profiles, at: "reports[]", refs: { pdf: "object:exportFiles" } } },
    undefined,
  ],
  [
    "rows that go and name files in two fields",
    {
      files: { ...files, refs: { s3Key: "object:uploadFiles", preview: "object:uploadFiles" } },
    },
    "files names files in 2 fields",
  ],
  [
    "rows that stay and name files in two fields",
    { profiles: { ...profiles, refs: { avatar: "object:uploadFiles", pdf: "object:exportFiles" } } },
    undefined,
  ],
  [
    "rows of SQL that expire",
    { files: { ...files, from: sql, expires: (files.expires ?? []).filter((rule) => rule.do === "delete") } },
    undefined,
  ],
  [
    "rows of SQL that are marked as deleted",
    { files: { ...files, from: sql } },
    "expired-documents of files does not delete, which is all that retention does in database main.invoices",
  ],
  ["parts of items that expire", { files: { ...files, at: "files[]" } }, undefined],
])("retention and %s", (_, entities, why) => {
  expect(whyNoRetention({ entities: { ...model.entities, ...entities } })).toBe(why);
});

it.each<[string, Partial<Entity>, string | undefined]>([
  ["an item each", {}, undefined],
  ["elements of a list", { at: "papers[]" }, undefined],
  ["one part of an item", { at: "settings.paper" }, "a document lies at settings.paper, which is no list"],
])("documents that are %s", (_, change, why) => {
  const entities = { ...model.entities, files: { ...files, ...change } };
  expect(whyNoDocuments({ ...model, entities }, "upload")).toBe(why);
});
