/**
 * Makes control characters of foreign text visible (names and keys are other people's data): a terminal must
 * not be steered by an object's key. Line breaks and tabs count as control characters here; so do the invisible
 * characters that turn the direction of writing.
 */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** `1 picture`, `2 pictures`; `many` where an s does not do. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${grouped(number)} ${number === 1 ? one : many}`;
}

/** A whole number with its thousands grouped, `-` for none; without the 10 ms in which `toLocaleString` loads its data. */
export function grouped(number: number | undefined): string {
  return number === undefined ? "-" : String(number).replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
}
