/** The word that was likely meant: one with few letters added, left out or replaced; undefined where none is near. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  if (word.length > mostLetters || words.length > mostWords) return undefined;
  const near = words
    .filter((each) => Math.abs(each.length - word.length) <= mostApart(each))
    .map((each) => ({ word: each, distance: distance(word, each) }))
    .filter((each) => each.distance <= mostApart(each.word))
    .toSorted((one, other) => one.distance - other.distance);
  return near[0]?.word;
}

/** Of longer words, and among more of them, the time that it takes is not worth the hint. */
const mostLetters = 64;
const mostWords = 500;

function mostApart(word: string): number {
  return Math.max(1, Math.floor(word.length / 3));
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
