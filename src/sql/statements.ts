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
const gap = String.raw`[ \t\f\v]*(?:${postgresComment})?[\n\r](?:\s|${postgresComment}[\n\r])*`;
const notInName = String.raw`(?<![\w$\u0080-\uffff])`;

/** Strings, names, bodies and comments as a whole, so that no `;` in one of them is met; a doubled quote begins the next string. */
const signs: Readonly<Record<Engine, RegExp>> = {
  mysql: new RegExp(
    String.raw`'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|${"`[^`]*`"}|${mysqlComment}|\/\*[^]*?\*\/|;`,
    "gs",
  ),
  postgres: new RegExp(
    String.raw`${notInName}E'(?:[^'\\]|\\.|''|'${gap}')*'|'[^']*'|"[^"]*"|${notInName}\$((?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?)\$[^]*?\$\1\$|${postgresComment}|\/\*[^]*?\*\/|;`,
    "gis",
  ),
};

const leads: Readonly<Record<Engine, RegExp>> = {
  mysql: new RegExp(String.raw`^(?:\s+|${mysqlComment}|\/\*(?!M?[!+])[^]*?\*\/)+`),
  postgres: new RegExp(String.raw`^(?:\s+|${postgresComment}|\/\*[^]*?\*\/)+`),
};

/** Whether a comment begins within another one: PostgreSQL goes on with the outer one behind the end of the inner. Pure. */
export function hasCommentInComment(statement: string, engine: Engine): boolean {
  if (engine === "mysql") return false;
  return Array.from(statement.matchAll(signs.postgres), ([sign]) => sign).some(
    (sign) => sign.startsWith("/*") && sign.includes("/*", 1),
  );
}

/** A statement without what stands in strings and comments; names keep their quotes. Pure. */
export function withoutTexts(statement: string, engine: Engine): string {
  return statement.replaceAll(signs[engine], (sign) => {
    if (/^(--|#|\/\*)/.test(sign)) return " ";
    const isName = sign.startsWith("`") || (engine === "postgres" && sign.startsWith('"'));
    // The body of a function is looked at like the rest.
    if (sign.startsWith("$")) return ` ${sign.replace(/^\$\w*\$|\$\w*\$$/g, " ")} `;
    return isName || sign === ";" ? sign : "''";
  });
}
