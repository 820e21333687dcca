import { access, readdir } from "node:fs/promises";
import { parse, resolve, sep } from "node:path";

/**
 * The files that the given words stand for, as a POSIX shell would have it, for where none did: on Windows, from a
 * script, in quotes. `*`, `?` and `[a-z]`, `[!a-z]` match within a name, hidden names only by their dot, and folders are
 * left out at the end. A word that is the name of a file stands for it; a pattern that matches nothing for itself.
 * Matches are in the order of their UTF-16 code units.
 */
export async function expandPatterns(words: readonly string[], cwd: string): Promise<string[]> {
  const expanded: string[] = [];
  for (const word of words) {
    const files = /[*?[]/.test(word) && !(await isThere(resolve(cwd, word))) ? await matching(word, cwd) : [];
    expanded.push(...(files.length === 0 ? [word] : files));
  }
  return expanded;
}

async function matching(pattern: string, cwd: string): Promise<string[]> {
  const { root } = parse(pattern);
  const names = pattern.slice(root.length).split(sep === "\\" ? /[\\/]/ : "/");
  let paths = [root];
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1;
    const found = await Promise.all(paths.map((path) => under(path, { name, isLast, cwd })));
    paths = found.flat();
  }
  return paths;
}

/** What a name, or a pattern of one, stands for in a folder; folders with a separator behind them. */
async function under(
  folder: string,
  { name, isLast, cwd }: { readonly name: string; readonly isLast: boolean; readonly cwd: string },
): Promise<string[]> {
  if (!/[*?[]/.test(name)) {
    const path = folder + name;
    return (await isThere(resolve(cwd, path))) ? [isLast ? path : path + sep] : [];
  }
  const isMatch = nameMatcher(name);
  // A folder that cannot be read holds no matches, as in a shell.
  const entries = await readdir(resolve(cwd, folder), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => isMatch(entry.name) && (isLast ? !entry.isDirectory() : !entry.isFile()))
    .map((entry) => folder + entry.name + (isLast ? "" : sep))
    .toSorted();
}

/** macOS tells names decomposed; a pattern is typed composed. */
function nameMatcher(pattern: string): (name: string) => boolean {
  const parts = pattern.normalize("NFC").matchAll(/\[(!|\^)?(\]?[^\]]*)\]|([*?])|([^])/gu);
  const source = Array.from(parts, ([, not, set, wildcard, other = ""]) => {
    if (set !== undefined)
      return `[${not === undefined ? "" : "^"}${set.replaceAll(/[\\\][^&~|]/g, "\\$&")}]`;
    if (wildcard !== undefined) return wildcard === "*" ? ".*" : ".";
    return other.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  }).join("");
  const isMatch = regExp(source);
  return (name) => (pattern.startsWith(".") || !name.startsWith(".")) && isMatch(name.normalize("NFC"));
}

/** A range that ends before it begins matches nothing. */
function regExp(source: string): (text: string) => boolean {
  try {
    const expression = new RegExp(`^${source}$`, "su");
    return (text) => expression.test(text);
  } catch {
    return () => false;
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
