export interface Hanging {
  /** What of the line stands before its first word that may go below. */
  readonly head: string;
  readonly indent: number;
}

/** The text in lines that fit, broken between two words; what stands in backticks is to be copied, and stays whole. Pure. */
export function wrapped(
  text: string,
  columns: number,
  widthOf: (text: string) => number,
  { head, indent }: Hanging = { head: "", indent: 0 },
): string[] {
  const [first = "", ...words] = text.slice(head.length).match(/^ +|(?:`[^`]*`|[^ ])+ */g) ?? [];
  const lines = [head + first];
  for (const word of words) {
    const last = lines.at(-1) ?? "";
    if (last.trim() === "" || widthOf(last + word.trimEnd()) <= columns)
      lines[lines.length - 1] = last + word;
    else lines.push(`${" ".repeat(indent)}${word}`);
  }
  return lines.map((each) => each.trimEnd());
}
