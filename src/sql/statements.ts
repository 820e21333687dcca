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

/** Strings, names, bodies and comments as a whole, so that no `;` in one of them is met; a doubled quote begins the next string. */
const signs: Readonly<Record<Engine, RegExp>> = {
  mysql: /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|--\s[^\n]*|#[^\n]*|\/\*[^]*?\*\/|;/gs,
  postgres: /\bE'(?:[^'\\]|\\.)*'|'[^']*'|"[^"]*"|\$(\w*)\$[^]*?\$\1\$|--[^\n]*|\/\*[^]*?\*\/|;/gis,
};

const leads: Readonly<Record<Engine, RegExp>> = {
  mysql: /^(?:\s+|--\s[^\n]*|#[^\n]*|\/\*(?!M?[!+])[^]*?\*\/)+/,
  postgres: /^(?:\s+|--[^\n]*|\/\*[^]*?\*\/)+/,
};

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
