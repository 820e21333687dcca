import { createHash } from "node:crypto";
import { CliError } from "../errors.ts";
import { tableRole } from "../model/database.ts";
import { filesNamedBy, referencesOf } from "../model/graph.ts";
import { own, sameJson } from "../model/json.ts";
import { objectTemplates } from "../model/objects.ts";
import { build, fieldsOf, type Fields, type Template } from "../model/template.ts";
import type { Entity } from "../model/schema.ts";
import type { StoredEntry } from "./entry.ts";
import type { DocumentRows } from "./row-model.ts";

/** The longest key that S3 takes. */
const mostKeyBytes = 1024;

interface Named {
  readonly template: Template;
  readonly fields: Fields;
  /** The field that has the file's name. */
  readonly field: string;
  readonly name: string;
}

function named({ model, documents, kinds }: DocumentRows, key: string): Named | undefined {
  const entity = own(model.entities, kinds.valueOf(key) ?? "");
  if (entity === undefined || !("bucket" in entity.from)) return undefined;
  for (const template of objectTemplates(entity, entity.from.bucket)) {
    const fields = fieldsOf(template, key);
    const field = [documents.fields.name, "name", "fileName"].find(
      (each) => each !== undefined && template.fields.includes(each),
    );
    const name = own(fields ?? {}, field ?? "");
    if (fields !== undefined && field !== undefined && name !== undefined)
      return { template, fields, field, name };
  }
  return undefined;
}

/**
 * Where a file of a site with rows moves to: the same place, its name with a part behind it that follows from the key moved from. So a run
 * after a crash finds its own copy, and the key itself tells where its file was before.
 * @throws CliError where the model's key has no name that could be another.
 */
export function nextRowKey(rows: DocumentRows, { document: { id, name, s3Key } }: StoredEntry): string {
  const now = named(rows, s3Key);
  const hint = "its links end by themselves; `mawps doc url --list` tells when";
  if (now === undefined || rows.replaces) {
    throw new CliError(`${id} (${name}): by the model its file has its key and no other: ${s3Key}`, { hint });
  }
  const dot = now.name.lastIndexOf(".");
  const [stem, ext] = dot > 0 ? [now.name.slice(0, dot), now.name.slice(dot)] : [now.name, ""];
  const key = build(now.template, { ...now.fields, [now.field]: `${stem}-${markOf(s3Key)}${ext}` });
  if (Buffer.byteLength(key) <= mostKeyBytes && rows.kinds.valueOf(key) === rows.kinds.valueOf(s3Key))
    return key;
  throw new CliError(`${id} (${name}): a key with a longer name would be no key of such a file: ${key}`, {
    hint,
  });
}

/** Where a file that was moved has been before; undefined where its key does not tell of a move. */
export function formerRowKey(rows: DocumentRows, { document: { s3Key } }: StoredEntry): string | undefined {
  const now = named(rows, s3Key);
  const [, stem = "", mark = "", ext = ""] = /^(.+)-([0-9a-f]{8})(\.[^.]*)?$/s.exec(now?.name ?? "") ?? [];
  if (now === undefined || mark === "") return undefined;
  const from = build(now.template, { ...now.fields, [now.field]: `${stem}${ext}` });
  return markOf(from) === mark ? from : undefined;
}

function markOf(key: string): string {
  return createHash("sha256").update(`moved from ${key}`).digest("hex").slice(0, 8);
}

/**
 * What else of the site names a file, in words; undefined where nothing does. Reads every table whose entities name files; rejects where
 * one is not there.
 * @param entry does not count.
 * @throws CliError where something may name it that is not in the same kind of store as the entries.
 */
export async function otherNameOf(
  { model, store, accounts }: DocumentRows,
  key: string,
  entry?: StoredEntry,
): Promise<string | undefined> {
  const naming = Object.entries(model.entities).filter(([name, entity]) =>
    referencesOf(name, entity).some(({ parentField }) => parentField === undefined),
  );
  const isRow = ({ from }: Entity) => "database" in from;
  const elsewhere = naming.find(([, each]) => isRow(each) !== (accounts !== undefined));
  if (elsewhere !== undefined) {
    const where = accounts === undefined ? "no database" : "none but the database of its documents";
    throw new CliError(`${elsewhere[1].what} may name ${key}, and mawps doc reads ${where}`, {
      hint: "nothing was changed",
    });
  }
  for (const table of new Set(naming.flatMap(([, { from }]) => tableRole(from) ?? []))) {
    // What a table names that is not there cannot be told: then nothing may be deleted.
    for await (const page of store.stream(table)) {
      for (const stored of page) {
        const entity = own(model.entities, stored.entity);
        const isSame = stored.table === entry?.row?.table && sameJson(stored.key, entry.row.key);
        if (entity === undefined || isSame) continue;
        if (filesNamedBy(entity, stored.fields).includes(key)) return entity.what;
      }
    }
  }
  return undefined;
}
