import type { DocumentEntry } from "../../model/documents.ts";
import { bytes } from "../../model/bytes.ts";
import type { Column } from "../../output/table.ts";
import { idColumn, stateColumn } from "../../output/tones.ts";
import { storedTime } from "../stored-time.ts";

/** The columns in which documents are listed, for rows that hold one. */
export function documentColumns<Row>(documentOf: (row: Row) => DocumentEntry): Column<Row>[] {
  const column = (title: string, cell: (document: DocumentEntry) => string): Column<Row> => ({
    title,
    cell: (row) => cell(documentOf(row)),
  });
  return [
    idColumn(column("ID", ({ id }) => id)),
    { ...column("NAME", ({ name }) => name), least: 12 },
    column("TYPE", ({ type }) => type),
    { ...column("SIZE", ({ size }) => (size === undefined ? "?" : bytes(size))), align: "right" },
    stateColumn(column("STATUS", ({ status }) => status)),
    stateColumn(column("SCAN", ({ scanResult }) => scanResult ?? "never")),
    column("UPLOADED", ({ uploadedAt }) => storedTime(uploadedAt)),
  ];
}
