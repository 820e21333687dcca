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
  const near = verbs
    .filter((verb) => !destructive.has(verb))
    .map((verb) => ({ verb, distance: distance(word, verb) }))
    .filter((each) => each.distance <= Math.max(1, Math.floor(each.verb.length / 3)))
    .toSorted((one, other) => one.distance - other.distance);
  return near[0]?.verb;
}

/** How many letters must be added, left out or replaced to come from one word to the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let at = 0; at < from.length; at += 1) {
    const next = [at + 1];
    for (let column = 0; column < to.length; column += 1) {
      const replaced = (row[column] ?? 0) + (from[at] === to[column] ? 0 : 1);
      next.push(Math.min(replaced, (next[column] ?? 0) + 1, (row[column + 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
