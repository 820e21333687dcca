import { headerText } from "./description.ts";
import { S3Fault } from "./fault.ts";

/** What may stand before the file: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html */
const maxFieldBytes = 20 * 1024;

export interface Form {
  /** Names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  /** Last part of the path the browser sent. */
  readonly fileName: string;
  /** The bytes of the field `file`; whatever follows it is ignored. */
  readonly file: AsyncIterable<Uint8Array>;
}

/** Reads `multipart/form-data` up to the field `file`, whose bytes are streamed. Throws MalformedPOSTRequest. */
export async function readForm(contentType: string, body: AsyncIterable<Uint8Array>): Promise<Form> {
  const boundary = /boundary="?([^";]{1,70})"?/i.exec(contentType)?.[1];
  if (boundary === undefined) throw new S3Fault("MalformedPOSTRequest");
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const source = body[Symbol.asyncIterator]();
  // The first delimiter has no line before it.
  let buffer: Buffer = Buffer.from("\r\n");

  async function more(): Promise<boolean> {
    const next = await source.next();
    if (next.done === true) return false;
    buffer = Buffer.concat([buffer, next.value]);
    return true;
  }

  /** What stands before `mark`, which is taken too. */
  async function upTo(mark: Buffer): Promise<Buffer> {
    for (;;) {
      const at = buffer.indexOf(mark);
      if (at >= 0) {
        const before = buffer.subarray(0, at);
        buffer = buffer.subarray(at + mark.length);
        return before;
      }
      if (buffer.length > maxFieldBytes) throw new S3Fault("MaxPostPreDataLengthExceededError");
      if (!(await more())) throw new S3Fault("MalformedPOSTRequest");
    }
  }

  async function* fileBytes(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = buffer.indexOf(delimiter);
      if (at >= 0) {
        if (at > 0) yield buffer.subarray(0, at);
        return;
      }
      // The end of what is there may be the beginning of the delimiter.
      const safe = buffer.length - delimiter.length + 1;
      if (safe > 0) {
        yield buffer.subarray(0, safe);
        buffer = buffer.subarray(safe);
      }
      if (!(await more())) throw new S3Fault("IncompleteBody");
    }
  }

  const fields = new Map<string, string>();
  let taken = 0;
  await upTo(delimiter);
  for (;;) {
    const head = headerText((await upTo(Buffer.from("\r\n\r\n"))).toString("latin1"));
    if (head.startsWith("--")) throw missingFile();
    const name = /;\s*name="([^"]*)"/i.exec(head)?.[1]?.toLowerCase();
    if (name === undefined) throw new S3Fault("MalformedPOSTRequest");
    if (name === "file") {
      const path = /;\s*filename="([^"]*)"/i.exec(head)?.[1] ?? "";
      return { fields, fileName: path.replace(/^.*[\\/]/, ""), file: fileBytes() };
    }
    const value = (await upTo(delimiter)).toString("utf8");
    taken += value.length;
    if (taken > maxFieldBytes) throw new S3Fault("MaxPostPreDataLengthExceededError");
    fields.set(name, value);
    if (buffer.subarray(0, 2).toString() === "--") throw missingFile();
  }
}

function missingFile(): S3Fault {
  return new S3Fault("InvalidArgument", {
    message: "POST requires exactly one file upload per request.",
    fields: { ArgumentName: "file", ArgumentValue: 0 },
  });
}
