import type { ExportPlace } from "../aws/dynamodb/table-export.ts";
import { CliError } from "../errors.ts";
import { type BegunExports, exportTables } from "./native-export.ts";
import type { Pending } from "./pending.ts";
import type { Repository } from "./repository.ts";
import type { BackupSite } from "./site.ts";
import type { TableSnapshot } from "./snapshot.ts";

/** What a table's place in a snapshot says of its items when DynamoDB has exported them. */
export type ExportedItems = Pick<TableSnapshot, "from" | "to" | "items" | "parts" | "export">;

const stepName = "table-exports";

/**
 * Where DynamoDB writes the tables of a snapshot: where it was told to, else below the repository, if that lies in S3.
 * @throws CliError for an encrypted repository: what DynamoDB exports is readable to whoever may read the bucket.
 */
export function exportPlace(
  { encryption, store }: Pick<Repository, "encryption" | "store">,
  given: ExportPlace | undefined,
): ExportPlace {
  if (encryption !== "none") {
    throw new CliError(
      "DynamoDB's exports are not encrypted by age, and this repository promises that all of it is",
      {
        hint: "use --engine scan, or a repository of its own without encryption",
      },
    );
  }
  if (given !== undefined) return given;
  const [, bucket, prefix = ""] = /^s3:\/\/([^/]+)(?:\/(.*?))?\/*$/.exec(store.where) ?? [];
  if (bucket === undefined) {
    throw new CliError("DynamoDB exports to S3 only, and this repository is a folder", {
      hint: "name a place: --export-to s3://bucket/prefix",
    });
  }
  return { bucket, prefix: prefix === "" ? "exports" : `${prefix}/exports` };
}

/**
 * Lets DynamoDB export tables for a snapshot that is being made, all as of one moment, and gives what the snapshot says of each,
 * by the table's name. What has been begun is saved with the pending snapshot: taken up, it is waited for.
 */
export async function exportForSnapshot(
  site: Pick<BackupSite, "aws" | "declaration" | "signal" | "now" | "audit">,
  pending: Pick<Pending, "id" | "steps" | "step">,
  ask: {
    readonly tables: readonly string[];
    readonly place: ExportPlace;
    readonly tell: (text: string) => void;
    readonly firstDelayMs?: number;
  },
): Promise<ReadonlyMap<string, ExportedItems>> {
  const { tables, place, tell, firstDelayMs } = ask;
  const finished = await exportTables(
    { ...site, progress: tell, firstDelayMs },
    {
      tables,
      place,
      token: pending.id,
      begun: pending.steps.get(stepName) as BegunExports | undefined,
      save: (begun) => pending.step(stepName, begun),
    },
  );
  return new Map(
    finished.map(({ table, items, export: exported }) => [
      table,
      { from: exported.at, to: exported.at, items, parts: [], export: exported },
    ]),
  );
}
