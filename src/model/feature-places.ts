import { referencesOf } from "./graph.ts";
import { own } from "./json.ts";
import type { Model } from "./schema.ts";

/** Where a site keeps its documents, by the roles of its model. */
export interface DocumentPlaces {
  /** Table of their entries. */
  readonly table: string;
  /** Whether the entries are lists within its items, not an item each. */
  readonly areLists: boolean;
  /** Other tables with an item for each file. */
  readonly tablesBeside: readonly string[];
  /** Bucket of their files. */
  readonly bucket: string;
  /** Other buckets in which a file of an entry may lie. */
  readonly bucketsBeside: readonly string[];
}

/** Undefined where a model has no documents, or has them in a database. Pure. */
export function documentPlaces({ entities, features }: Model): DocumentPlaces | undefined {
  const { documents } = features ?? {};
  const entity = own(entities, documents?.entity ?? "");
  const files = own(entities, documents?.files ?? "")?.from;
  if (documents === undefined || entity === undefined || files === undefined || !("bucket" in files))
    return undefined;
  const { from, at } = entity;
  if (!("table" in from) || "database" in from) return undefined;
  const filesOf = (name: string) =>
    referencesOf(name, own(entities, name) ?? {}).flatMap(({ to, parentField }) => {
      const target = parentField === undefined ? own(entities, to)?.from : undefined;
      return target !== undefined && "bucket" in target ? [target.bucket] : [];
    });
  const beside = Object.entries(entities).flatMap(([name, other]) =>
    "table" in other.from && !("database" in other.from) && other.at === undefined && filesOf(name).length > 0
      ? [other.from.table]
      : [],
  );
  const without = (role: string, roles: readonly string[]) =>
    [...new Set(roles)].filter((each) => each !== role);
  return {
    table: from.table,
    areLists: at !== undefined,
    tablesBeside: without(from.table, beside),
    bucket: files.bucket,
    bucketsBeside: without(files.bucket, filesOf(documents.entity)),
  };
}

/** Role of the table of the digital twin; undefined where a model has none. Pure. */
export function twinTable({ entities, features }: Model): string | undefined {
  const from = own(entities, features?.twin?.entity ?? "")?.from;
  return from !== undefined && "table" in from ? from.table : undefined;
}
