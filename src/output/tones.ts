import type { Tone } from "./layout.ts";
import type { Column } from "./table.ts";

/** What the words say that tell a state, a result or what is about to be done. Any other word has no colour. */
const tones: Readonly<Record<string, Tone>> = {
  ...each(
    "good",
    "ready clean done uploaded applied add added create kept keep repaired fetched written on live ok enabled",
  ),
  ...each(
    "warning",
    "uploading error skipped pending applying reverting reverted planned change changed left differs",
  ),
  ...each("warning", "soft-delete expire would interrupted overwrite unsupported disabled off missing"),
  ...each("bad", "infected failed problem fault removed remove purge abort-upload delete damaged not"),
  ...each("dim", "deleted same unchanged none already never"),
};

/** What doctor found. */
export const findingTones = { ok: "good", warning: "warning", problem: "bad", skipped: "dim" } as const;

function each(tone: Tone, words: string): Record<string, Tone> {
  return Object.fromEntries(words.split(" ").map((word) => [word, tone]));
}

/** The colour of a state, by its first word. */
export function stateTone(text: string): Tone | undefined {
  const [word = ""] = /^[\p{L}-]+/u.exec(text) ?? [];
  const name = word.toLowerCase();
  return Object.hasOwn(tones, name) ? tones[name] : undefined;
}

/** A column of states in their colours. */
export function stateColumn<Row>(column: Omit<Column<Row>, "tone">): Column<Row> {
  return { ...column, tone: (row) => stateTone(column.cell(row)) };
}

/** A column of ids, which are there to be copied and stand back behind the rest. */
export function idColumn<Row>(column: Omit<Column<Row>, "tone">): Column<Row> {
  return { ...column, tone: () => "dim" };
}
