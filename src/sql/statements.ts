import type { Engine } from "./address.ts";

/**
 * The statements of a SQL file, without what stands before them. A statement ends at a `;` that is in no string, name, comment or
 * `$tag$` body. Pure.
 */
export function statementsIn(text: string, engine: Engine): string[] {
  const found: string[] = [];
  let begin = 0;
  for (const { 0: sign, index } of text.matchAll(signs[engine])) {
    if (sign !== ";") continue;
    found.push(text.slice(begin, index));
    begin = index + 1;
  }
  const lead = leads[engine];
  return [...found, text.slice(begin)]
    .map((statement) => statement.replace(lead, "").trimEnd())
    .filter((statement) => statement !== "");
}

/** To the end of its line, or right there where nothing follows the two signs. */
const mysqlComment = String.raw`--(?=[\0- \x7f]|$)[^\n]*|#[^\n]*`;
const postgresComment = String.raw`--[^\n\r]*`;
/** Between two parts of one string of PostgreSQL ("String Constants" in its manual). */
const gap = String.raw`[ \t\f\v]*(?:${postgresComment})?[\n\r](?:[ \t\n\r\f\v]|${postgresComment}[\n\r])*`;
const notInName = String.raw`(?<![\w$\u0080-\uffff])`;

/** Strings, names, bodies and comments as a whole, so that no `;` in one of them is met; a doubled quote begins the next string. */
const signs: Readonly<Record<Engine, RegExp>> = {
  mysql: new RegExp(
    String.raw`'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|${"`[^`]*`"}|${mysqlComment}|\/\*[^]*?\*\/|;`,
    "gs",
  ),
  postgres: new RegExp(
    String.raw`${notInName}[Ee]'(?:[^'\\]|\\.|''|'${gap}')*'|'[^']*'|"[^"]*"|${notInName}\$((?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?)\$[^]*?\$\1\$|${postgresComment}|\/\*[^]*?\*\/|;`,
    // The tags of bodies are told apart by their case, too.
    "gs",
  ),
};

const leads: Readonly<Record<Engine, RegExp>> = {
  mysql: new RegExp(String.raw`^(?:\s+|${mysqlComment}|\/\*(?!M?[!+])[^]*?\*\/)+`),
  postgres: new RegExp(String.raw`^(?:\s+|${postgresComment}|\/\*[^]*?\*\/)+`),
};

/**
 * What others who read a text take for something else than `statementsIn` does: the server, or the clients `mysql` and `psql`, which have
 * commands of their own, one of them a shell's. Undefined where there is nothing of the kind. Pure.
 */
export function ambiguityIn(text: string, engine: Engine): string | undefined {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\0-\x08\x0e-\x1f\x7f]/.test(text)) return "a control character";
  // A backslash in a name is one that `mysql` takes for the beginning of a longer name.
  let live = "";
  let begin = 0;
  for (const { 0: sign, index } of text.matchAll(signs[engine])) {
    // In PostgreSQL alone comments nest.
    if (engine === "postgres" && sign.startsWith("/*") && sign.includes("/*", 2))
      return "a comment within a comment";
    const isName = sign.startsWith("`");
    live += `${text.slice(begin, index)} ${isName ? sign : ""} `;
    begin = index + sign.length;
  }
  live += text.slice(begin);
  return live.includes("\\") ? "a command of the server's client" : undefined;
}

/** A statement without what stands in strings and comments; names keep their quotes, and what stands in the body of a function is kept or not. Pure. */
export function withoutTexts(
  statement: string,
  engine: Engine,
  bodies: "kept" | "left out" = "kept",
): string {
  return statement.replaceAll(signs[engine], (sign) => {
    if (/^(--|#|\/\*)/.test(sign)) return " ";
    const isName = sign.startsWith("`") || (engine === "postgres" && sign.startsWith('"'));
    if (sign.startsWith("$") && bodies === "kept") return ` ${sign.replace(/^\$\w*\$|\$\w*\$$/g, " ")} `;
    return isName || sign === ";" ? sign : "''";
  });
}

/** The words of a statement that stand in no brackets, string, name or comment, in capitals, with where each begins. Pure. */
export function outerWords(
  statement: string,
  engine: Engine,
): { readonly word: string; readonly index: number }[] {
  const found: { word: string; index: number }[] = [];
  let depth = 0;
  const { source, flags } = signs[engine];
  for (const { 0: sign, index } of statement.matchAll(
    new RegExp(String.raw`${source}|[()]|[\w$\u0080-\uffff]+`, flags),
  )) {
    if (sign === "(") depth += 1;
    else if (sign === ")") depth -= 1;
    else if (depth === 0 && /^[A-Za-z]\w*$/.test(sign)) found.push({ word: sign.toUpperCase(), index });
  }
  return found;
}
