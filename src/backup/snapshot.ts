import type { DescribedTable } from "../aws/dynamodb/table-description.ts";
import type { StoredCorsRule } from "../aws/s3/bucket-settings.ts";
import type { Fact } from "../sql/catalogue.ts";
import { rowTables, type RowTable } from "../sql/row-table.ts";
import type { ExportedFile } from "../aws/dynamodb/table-export.ts";

/** What one backup holds. Stored with one field more, `sha256`: that of the canonical JSON of all the rest. */
export interface Manifest {
  readonly format: 1;
  /** Sorts by time: `20261121T031500Z-1f2e3d`. */
  readonly id: string;
  /** Name and version of the tool. */
  readonly tool: string;
  /** Name of the declaration. */
  readonly model: string;
  /** Of the model by which it was made; older backups do not tell. */
  readonly modelHash?: string;
  /** Id of the migration that was applied last; null before the first. */
  readonly schemaVersion: string | null;
  readonly target: "local" | "aws";
  readonly account?: string;
  readonly region: string;
  /** ISO 8601, as all times here. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** `aws`: the tables' items were exported by DynamoDB itself. */
  readonly engine: "scan" | "aws";
  readonly tables: readonly TableSnapshot[];
  readonly buckets: readonly BucketSnapshot[];
  readonly userPool?: UsersSnapshot;
  readonly databases?: readonly DatabaseSnapshot[];
  /** What `--only` left out. */
  readonly left?: readonly string[];
  /** Of rows that retention has taken out of the site since: no backup of the site, and the only place where these are. */
  readonly archive?: ArchivedPartition;
}

/** Where the rows of an archive were. */
export interface ArchivedPartition {
  /** Role of the database. */
  readonly database: string;
  readonly table: string;
  readonly partition: string;
}

/** Gzipped lines; a content of the repository. */
export interface Part {
  /** Hex, of the gzipped bytes before any encryption. */
  readonly sha256: string;
  /** Gzipped. */
  readonly bytes: number;
  readonly lines: number;
}

/** Read between two times: what changed in between is in it, or not. */
export interface TableSnapshot {
  readonly role: string;
  readonly name: string;
  readonly description: TableDescription;
  readonly from: string;
  readonly to: string;
  readonly items: number;
  /** Empty where there is an export. */
  readonly parts: readonly Part[];
  readonly export?: TableExport;
}

/** Items that DynamoDB exported itself: they lie in a bucket outside the repository, readable there. */
export interface TableExport {
  readonly arn: string;
  readonly bucket: string;
  /** Key of the export's own manifest. */
  readonly manifest: string;
  /** The moment whose state it is, the same for every table of a snapshot. */
  readonly at: string;
  /** As AWS bills them. */
  readonly bytes: number;
  readonly files: readonly ExportedFile[];
}

export interface BucketSnapshot {
  readonly role: string;
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly objects: number;
  /** Of all objects together. */
  readonly bytes: number;
  readonly parts: readonly Part[];
  /** Objects that did not stand still while they were read, and are not in the backup. */
  readonly changed: readonly ChangedObject[];
  /** What browsers may do from other origins; missing where it could not be read, and in older backups. */
  readonly cors?: readonly StoredCorsRule[];
}

export interface ChangedObject {
  readonly key: string;
  readonly what: "changed" | "deleted" | "unreadable";
}

export interface UsersSnapshot {
  /** Of the user pool. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly users: number;
  readonly parts: readonly Part[];
  readonly groups: readonly UserGroup[];
}

/** A database with the rows that it had at one moment, between two times. */
export interface DatabaseSnapshot {
  readonly role: string;
  readonly name: string;
  readonly engine: "mysql" | "postgres";
  readonly from: string;
  readonly to: string;
  readonly rows: number;
  /** As the server described its tables, by names such as `column users.email`. For people: no statement is made of it. */
  readonly catalogue: Readonly<Record<string, string>>;
  /** The model's SQL file, a content of the repository: for people without mawps. A restore takes that of its own model. */
  readonly file: { readonly sha256: string; readonly bytes: number };
  /** Where MySQL's binary log stood at that moment. */
  readonly log?: { readonly file: string; readonly position: number };
  /** Parents before their children. */
  readonly tables: readonly RowsSnapshot[];
}

/** The tables of a database as they were read. Pure. */
export function snapshotTables({ catalogue, engine }: DatabaseSnapshot): RowTable[] {
  return rowTables(new Map(Object.entries(catalogue) as [Fact, string][]), engine);
}

export interface RowsSnapshot {
  readonly name: string;
  readonly rows: number;
  readonly parts: readonly Part[];
}

export interface UserGroup {
  readonly name: string;
  readonly description?: string;
  readonly precedence?: number;
  readonly roleArn?: string;
}

/** All of a table that is not its items; AWS's own restore loses most of it. */
export type TableDescription = DescribedTable;
