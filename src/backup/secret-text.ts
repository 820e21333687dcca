import { CliError } from "../errors.ts";

/** The text of a file with a key. @throws CliError for one that is itself encrypted, or in UTF-16, which some editors write. */
export function keyText(bytes: Buffer, path: string): string {
  const beginning = bytes.toString("latin1", 0, 200);
  if (/^\s*(age-encryption\.org\/|-----BEGIN AGE ENCRYPTED FILE)/.test(beginning)) {
    throw new CliError(`${path} is itself encrypted`, {
      hint: "decrypt it first, into a file that only you can read: age --decrypt --output identity.txt <file>",
    });
  }
  const [first, second] = bytes;
  const isWide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  if (isWide || bytes.includes(0)) {
    throw new CliError(`${path} is in UTF-16, or no text at all`, { hint: "save it as UTF-8" });
  }
  return bytes.toString("utf8");
}

/**
 * The passphrase in a file, a variable or an answer: the same secret whichever it comes from, as editors and shells put a line
 * break behind it.
 * @throws CliError for several lines, none, and a byte order mark: what of it is meant cannot be seen.
 */
export function passphraseIn(text: string, from: string): string {
  const [first = "", ...rest] = text.split(/\r\n|\n|\r/);
  if (first.startsWith("\uFEFF")) {
    throw new CliError(`${from} begins with a byte order mark, which nobody types`, {
      hint: "save it as UTF-8 without one",
    });
  }
  if (first === "") throw new CliError(`${from} begins with an empty line, not a passphrase`);
  if (rest.some((line) => line !== "")) throw new CliError(`${from} has several lines; a passphrase is one`);
  return first;
}
