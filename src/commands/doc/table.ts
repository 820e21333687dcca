import type { DocumentEntry } from "../../model/documents.ts";
import type { Tone } from "../../output/layout.ts";
import { bytes } from "../../output/bytes.ts";
import type { Column } from "../../output/table.ts";
import { storedTime } from "../stored-time.ts";

/** What is wrong, and what is no more. */
function toneOf({ status }: DocumentEntry): Tone | undefined {
  if (status === "READY") return "good";
  if (status === "INFECTED") return "bad";
  return status === "DELETED" ? "dim" : "warning";
}

/** The columns in which documents are listed, for rows that hold one. */
export function documentColumns<Row>(documentOf: (row: Row) => DocumentEntry): Column<Row>[] {
  const column = (title: string, cell: (document: DocumentEntry) => string): Column<Row> => ({
    title,
    cell: (row) => cell(documentOf(row)),
  });
  return [
    column("ID", ({ id }) => id),
    { ...column("NAME", ({ name }) => name), least: 12 },
    column("TYPE", ({ type }) => type),
    { ...column("SIZE", ({ size }) => (size === undefined ? "?" : bytes(size))), align: "right" },
    { ...column("STATUS", ({ status }) => status), tone: (row) => toneOf(documentOf(row)) },
    column("SCAN", ({ scanResult }) => scanResult ?? "never"),
    column("UPLOADED", ({ uploadedAt }) => storedTime(uploadedAt)),
  ];
}
