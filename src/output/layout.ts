/** What text is laid out for. */
export interface Layout {
  readonly columns: number;
  /** Whether lines must fit into these columns: on a terminal, unless `--wide` is given. */
  readonly fits: boolean;
  readonly color: boolean;
}

/** How a stream is written to. */
export function layoutOf(
  output: { readonly isTTY?: boolean; readonly columns?: number },
  {
    noColor,
    wide,
    term,
  }: { readonly noColor: boolean; readonly wide: boolean; readonly term: string | undefined },
): Layout {
  const { isTTY, columns = 0 } = output;
  const color = showsColor(output, { noColor, term });
  return { columns: columns || 80, fits: isTTY === true && !wide && columns > 0, color };
}

/** Whether a stream shows colours: on a terminal that has some, unless the user wants none. */
function showsColor(
  { isTTY }: { readonly isTTY?: boolean },
  { noColor, term }: { readonly noColor: boolean; readonly term: string | undefined },
): boolean {
  return isTTY === true && !noColor && term !== "dumb";
}

/** What a colour stands for. The words say it, too: colour is never alone. */
export type Tone = "bad" | "warning" | "good" | "dim";

const codes: Readonly<Record<Tone, readonly [on: number, off: number]>> = {
  bad: [31, 39],
  warning: [33, 39],
  good: [32, 39],
  dim: [2, 22],
};

/** The text in the colour of its meaning, where colours are shown. */
export function paint(text: string, tone: Tone | undefined, { color }: Pick<Layout, "color">): string {
  if (!color || tone === undefined || text === "") return text;
  const [on, off] = codes[tone];
  return `\u001B[${on}m${text}\u001B[${off}m`;
}

/** The codes of `paint`, and nothing else that steers a terminal. */
// oxlint-disable-next-line no-control-regex -- they begin with one
export const paintCodes = /(\u001B\[(?:31|32|33|39|2|22)m)/;
