import { bytes } from "../model/bytes.ts";
import { escapedHtml, htmlTable, pageEnd, pageHead, pageTime } from "../output/html.ts";
import type { ErasureReceipt } from "./receipt.ts";

/** A receipt for people to read and file, in German and English on one page. It names nobody, as the receipt itself. Pure. */
export function receiptPage(
  receipt: ErasureReceipt,
  { site, fileName }: { readonly site: string; readonly fileName: string },
): string {
  const { erasedAt, isComplete, person, erased, left, kept, expiring, notReached, searched, audit } = receipt;
  const byKind = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([what, count]) => `${what}: ${count}`);
  const rest = Object.entries(left).map(([what, number]) => `${what}: ${String(number)}`);
  const facts: readonly (readonly [name: string, values: readonly string[]])[] = [
    ["Website", [site]],
    ["Zeitpunkt · Time", [pageTime(new Date(erasedAt))]],
    ["Ergebnis · Result", [isComplete ? complete : incomplete, ...(isComplete ? [] : rest)]],
    ["Person, als Prüfsummen mit Schlüssel · as keyed hashes", person.map(({ hash }) => hash)],
    ["Konto · Account", [accountFate(receipt)]],
    ["Gelöscht · Deleted", byKind(erased.items)],
    ["Dateien, alle Fassungen · Files, all versions", [...byKind(erased.versions), bytes(erased.bytes)]],
    ["Herausgenommene Namen · Names taken out", byKind(erased.changes)],
    [
      "Aufbewahrt · Kept",
      kept.map(
        ({ what, items, basis, days }) => `${what}: ${items}, ${basis}${days === null ? "" : `, ${days} d`}`,
      ),
    ],
    ["Läuft ab · Expires", expiring.map(({ what, items, until }) => `${what}: ${items}, ${pageTime(until)}`)],
    [
      "Nicht erreicht · Not reached",
      [
        ...notReached.others,
        ...notReached.backups.map((id) => `backup ${id}`),
        ...notReached.recovery.map(
          ({ table, until }) => `recovery of ${table}: ${until === null ? "unknown" : pageTime(until)}`,
        ),
      ],
    ],
    ["Durchsucht · Searched", [...searched.tables, ...searched.buckets]],
    ["Prüfspur · Audit trail", [`${audit.sequence}: ${audit.hash}`]],
  ];
  const rows = facts.flatMap(([name, values]) => values.map((value) => ({ name, value })));
  const title = "Löschbeleg · Receipt of an erasure";
  const table = htmlTable(rows, [
    { title: "Was · What", cell: ({ name }) => name },
    { title: "", cell: ({ value }) => value },
  ]);
  return `${pageHead("de", title)}<h1>${escapedHtml(title)}</h1>\n${table}<p><code>mawps user erase verify ${escapedHtml(fileName)}</code></p>\n${pageEnd}`;
}

function accountFate({ erased, left }: ErasureReceipt): string {
  if (left.account) return "noch da · still there";
  if (erased.accountEmptied === true) return "geleert, seine Kennung bleibt · emptied, its id stays";
  return erased.account ? "gelöscht · deleted" : "gab es keines · there was none";
}

const complete =
  "vollständig: erneut gesucht und nichts gefunden · complete: searched again, and nothing was found";
const incomplete = "unvollständig · incomplete";
