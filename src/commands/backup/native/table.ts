import type { NativeBackup } from "../../../aws/dynamodb/native-backups.ts";
import { shortId } from "../../../backup/native.ts";
import { bytes } from "../../../model/bytes.ts";
import { localTime } from "../../../output/dates.ts";
import type { Layout } from "../../../output/layout.ts";
import { table } from "../../../output/table.ts";
import { idColumn, stateColumn } from "../../../output/tones.ts";

/** A backup for scripts; `id` is what the other verbs take, beside its name and ARN. */
export function nativeRow(backup: NativeBackup) {
  return { id: shortId(backup), ...backup };
}

/** Backups as people read them. */
export function nativeTable(rows: readonly ReturnType<typeof nativeRow>[], layout: Layout): Promise<string> {
  return table(
    rows,
    [
      { title: "MADE", cell: (row) => (row.createdAt === undefined ? "" : localTime(row.createdAt)) },
      { title: "TABLE", cell: (row) => row.table },
      { title: "NAME", cell: (row) => row.name, least: 12 },
      idColumn({ title: "ID", cell: (row) => row.id }),
      { title: "SIZE", cell: (row) => (row.bytes === undefined ? "" : bytes(row.bytes)) },
      stateColumn({ title: "STATE", cell: (row) => row.status.toLowerCase() }),
      { title: "BY", cell: (row) => (row.type === "USER" ? "request" : row.type.toLowerCase()) },
    ],
    layout,
  );
}
