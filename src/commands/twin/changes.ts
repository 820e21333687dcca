import { secretMaskedAt } from "../../model/secrets.ts";
import { paint, type Layout } from "../../output/layout.ts";
import { grouped, visible } from "../../output/text.ts";
import type { FieldChange } from "../../site/twin/difference.ts";
import { configuredSite } from "../../target.ts";
import type { Run } from "../run.ts";

/** Characters of a value that are shown. */
const shown = 60;
/** Characters before the first difference of two texts that are shown with it. */
const before = 12;

const signs = { added: "+", removed: "-", changed: "~" } as const;
const tones = { added: "good", removed: "bad", changed: "warning" } as const;

/** Field by field: `~ analytics.progress  75 -> 80`. Long texts are shown where they differ. */
export function changesText(changes: readonly FieldChange[], layout: Layout): string {
  const lines = changes.map((change) => [visible(change.path.join(".")), valuesOf(change), change] as const);
  const width = Math.max(0, ...lines.map(([path]) => path.length));
  return lines
    .map(
      ([path, values, { kind }]) =>
        `${paint(`${signs[kind]} ${path.padEnd(width)}`, tones[kind], layout)}  ${values}`,
    )
    .join("\n");
}

/** The start of a value, and its length where that is cut. */
export function excerpt(value: unknown, from = 0): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const characters = Array.from(text.slice(from, from + 2 * shown));
  const cut = characters.slice(0, shown).join("");
  const isWhole = from === 0 && cut === text;
  const quote = typeof value === "string" ? '"' : "";
  const part = `${quote}${from > 0 ? "…" : ""}${visible(cut)}${from + cut.length < text.length ? "…" : ""}${quote}`;
  return isWhole ? part : `${part} (${grouped(text.length)} characters)`;
}

function valuesOf(change: FieldChange): string {
  if (change.kind === "added") return excerpt(change.after);
  if (change.kind === "removed") return excerpt(change.before);
  const from = differenceFrom(change.before, change.after);
  return `${excerpt(change.before, from)} -> ${excerpt(change.after, from)}`;
}

/** Where two texts that do not fit are to be shown from. */
function differenceFrom(one: unknown, other: unknown): number {
  if (typeof one !== "string" || typeof other !== "string") return 0;
  let at = 0;
  while (at < Math.min(one.length, other.length) && one[at] === other[at]) at += 1;
  return at + before < shown ? 0 : at - before;
}

/** Changes as they may be told: that a secret is another one, and neither of them. */
export function toldChanges(run: Run, changes: readonly FieldChange[]): FieldChange[] {
  const { secrets } = configuredSite(run.config);
  return changes.map((change) => {
    const { path, before: was, after: is } = change;
    return {
      ...change,
      ...(was === undefined ? {} : { before: secretMaskedAt(secrets, path, was) }),
      ...(is === undefined ? {} : { after: secretMaskedAt(secrets, path, is) }),
    };
  });
}

/** A change as JSON: `{"path": "analytics.progress", "kind": "changed", "before": 75, "after": 80}`. */
export function changeJson({ path, ...rest }: FieldChange) {
  return { path: path.join("."), ...rest };
}
