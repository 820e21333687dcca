import { nearest } from "./model/nearest.ts";

/** Words of other tools, and what they are called here; where there are several, the first that exists. */
const otherWords: Readonly<Record<string, readonly string[]>> = {
  add: ["set", "upload", "create"],
  cat: ["show", "get"],
  del: ["rm"],
  delete: ["rm"],
  download: ["get", "export"],
  find: ["list"],
  get: ["get", "show", "list"],
  info: ["show"],
  ls: ["list"],
  new: ["set", "create", "upload"],
  put: ["set", "upload"],
  remove: ["rm"],
  rename: ["rename", "tag"],
  start: ["serve", "create", "run", "up"],
  undo: ["rollback", "restore", "down"],
  view: ["show"],
};

/** What deletes or takes back: nobody is led there by a slip of the finger. */
const destructive = new Set([
  "rm",
  "prune",
  "reset",
  "down",
  "run",
  "erase",
  "revoke",
  "disable",
  "sign-out",
]);

/**
 * What was meant by a word that is none of these: the word of another tool, else the nearest one that deletes nothing;
 * undefined where nothing is near.
 */
export function suggestion(word: string, verbs: readonly string[]): string | undefined {
  const meant = Object.hasOwn(otherWords, word)
    ? otherWords[word]?.find((verb) => verbs.includes(verb))
    : undefined;
  if (meant !== undefined) return meant;
  return nearest(
    word,
    verbs.filter((verb) => !destructive.has(verb)),
  );
}
