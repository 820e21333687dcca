/** Reads `length` bytes at `position` of a file; fewer only at its end. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>;

/** The end record of an archive is 22 bytes and a comment of at most 65,535. */
const endBytes = 22 + 0xffff;
/** An office document has some hundred entries; a directory of this size is no such thing. */
const maxDirectoryBytes = 4 * 1024 ** 2;

/**
 * Names of the entries of a ZIP archive, from its central directory: what programs that open the file go by, whatever lies
 * in front of it. Undefined when there is no readable directory, or one too large for a document.
 * @see APPNOTE 6.3.10, 4.3.12 and 4.3.16. Archives over 4 GB (ZIP64) are not read.
 */
export async function zipEntryNames(readAt: ReadAt, sizeBytes: number): Promise<string[] | undefined> {
  const tailAt = Math.max(0, sizeBytes - endBytes);
  const tail = await readAt(tailAt, sizeBytes - tailAt);
  const end = lastEndRecord(tail);
  if (end === undefined) return undefined;
  const directoryBytes = tail.readUInt32LE(end + 12);
  const directoryAt = tail.readUInt32LE(end + 16);
  if (directoryBytes > maxDirectoryBytes || directoryAt + directoryBytes > tailAt + end) return undefined;
  const directory = await readAt(directoryAt, directoryBytes);
  const names: string[] = [];
  for (let at = 0; at < directory.byteLength;) {
    if (at + 46 > directory.byteLength || directory.readUInt32LE(at) !== 0x02014b50) return undefined;
    const [name, extra, comment] = [28, 30, 32].map((offset) => directory.readUInt16LE(at + offset));
    names.push(directory.toString("utf8", at + 46, at + 46 + (name ?? 0)));
    at += 46 + (name ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return names;
}

/** The record that ends exactly with the file: a comment may hold another one. */
function lastEndRecord(tail: Buffer): number | undefined {
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== 0x06054b50) continue;
    if (at + 22 + tail.readUInt16LE(at + 20) === tail.byteLength) return at;
  }
  return undefined;
}
