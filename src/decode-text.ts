/** How a text of these first bytes is encoded: UTF-16 is told by its mark, or by the zeros of a first ASCII character. */
export function textEncoding([first, second]: Uint8Array): "utf-8" | "utf-16le" | "utf-16be" {
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return "utf-16le";
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== undefined && second !== 0))
    return "utf-16be";
  return "utf-8";
}

/**
 * The text of a file, without its mark. Bytes that are no text become U+FFFD, or with `fatal` an error.
 * @throws TypeError
 */
export function decodeText(bytes: Uint8Array, options: { readonly fatal?: boolean } = {}): string {
  return new TextDecoder(textEncoding(bytes), options).decode(bytes);
}
