import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { CliError } from "../../errors.ts";
import { bytes as bytesText } from "../../model/bytes.ts";
import { makeFolders } from "../../make-folders.ts";
import type { Aws } from "../clients.ts";
import { getObject } from "../s3/objects.ts";
import type { ExportedFile } from "../dynamodb/table-export.ts";

export interface ExportLines {
  readonly bucket: string;
  readonly file: ExportedFile;
  /** A folder for the file while it is read: AWS names no largest size. */
  readonly spool: string;
  readonly signal?: AbortSignal;
}

/**
 * The lines of one exported file without their newlines, `{"Item": …}` each, in batches. The file's MD5 is compared with
 * the manifest before the first line is given, the number of lines before the end. Bounded memory whatever its size.
 * @throws CliError when either differs; S3's own error when the file is gone.
 */
export async function* exportLines(
  aws: Aws,
  { bucket, file, spool, signal }: ExportLines,
): AsyncGenerator<readonly Buffer[]> {
  await makeFolders(spool, 0o700);
  const folder = await mkdtemp(join(spool, "export-"));
  try {
    const path = join(folder, "lines.gz");
    const { body } = await getObject(aws, { bucket, key: file.key, signal });
    const md5 = createHash("md5");
    const hashed = async function* (bytes: AsyncIterable<Uint8Array>) {
      for await (const piece of bytes) {
        md5.update(piece);
        yield piece;
      }
    };
    await pipeline(Readable.from(body), hashed, createWriteStream(path, { mode: 0o600 }), { signal });
    if (md5.digest("base64") !== file.md5) {
      throw damaged(bucket, file, "its MD5 is not the one in the export's manifest");
    }
    let items = 0;
    for await (const lines of linesIn(unzipped(path))) {
      signal?.throwIfAborted();
      items += lines.length;
      yield lines;
    }
    if (items !== file.items) {
      throw damaged(bucket, file, `it has ${items} lines, the manifest says ${file.items}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function damaged(bucket: string, { key }: ExportedFile, why: string): CliError {
  return new CliError(`${bucket}/${key} is damaged: ${why}`, {
    hint: "another snapshot, or an older version of the object, may be whole",
  });
}

async function* unzipped(path: string): AsyncGenerator<Buffer> {
  const source = createReadStream(path);
  const text = createGunzip();
  source.once("error", (error) => text.destroy(error));
  try {
    for await (const chunk of source.pipe(text)) yield chunk as Buffer;
  } finally {
    source.destroy();
  }
}

const newline = 0x0a;

/** An item has at most 400 KB, whose numbers and bytes become some times longer as JSON. */
const maxLineBytes = 4 * 1024 ** 2;

/** Whole lines as they come; what has no newline at the end is a line too, empty ones are none. @throws CliError for one of more than `maxLineBytes`. */
export async function* linesIn(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of bytes) {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const piece = chunk.subarray(start, end);
      const line = rest.length === 0 ? piece : Buffer.concat([...rest, piece]);
      rest = [];
      restBytes = 0;
      if (line.length > 0) lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
    restBytes += chunk.length - start;
    if (restBytes > maxLineBytes)
      throw new CliError(`a line of an export has more than ${bytesText(maxLineBytes)}`);
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [Buffer.concat(rest)];
}
