import { beyond } from "../model/bytes.ts";
import { getObject, getObjectBytes, headObject, type ObjectHead } from "../aws/s3/objects.ts";
import { httpStatus } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import type { DocumentExtension, DocumentType } from "../model/document-types.ts";
import { documentType } from "./content-type.ts";
import { hashAndScan } from "./examine.ts";
import type { Judgement, Scanner, Unasked } from "./scanning.ts";
import type { DocumentSite } from "./site.ts";

/** By what stored bytes are judged. */
export interface Judging {
  readonly scanner: Scanner | Unasked;
  readonly maxBytes: number;
  readonly allowed: readonly DocumentExtension[];
}

/** An object of the private bucket, after it was looked at. */
export interface Arrived {
  readonly head: ObjectHead;
  readonly type: DocumentType;
  readonly sha256: string;
  readonly judgement: Judgement;
}

/** What is stored cannot be the document, whoever sent it. */
export class Unfit extends CliError {
  readonly sizeBytes: number;

  constructor(
    message: string,
    { sizeBytes, cause }: { readonly sizeBytes: number; readonly cause?: unknown },
  ) {
    super(message, { cause });
    this.sizeBytes = sizeBytes;
  }
}

/**
 * Judges an object as a document of this name: size, kind by content and name, hash and scan, of one and the same object
 * whatever is sent behind it. Undefined when there is none.
 * @throws Unfit, or CliError when something else arrived meanwhile.
 */
export async function examineStored(
  { aws, bucket, signal }: DocumentSite,
  { what, name, key }: { readonly what: string; readonly name: string; readonly key: string },
  { maxBytes, allowed, scanner }: Judging,
): Promise<Arrived | undefined> {
  const head = await headObject(aws, { bucket, key }, signal);
  if (head === undefined) return undefined;
  const { etag: ifMatch, sizeBytes } = head;
  if (sizeBytes === 0) throw new Unfit(`${what} is empty`, { sizeBytes });
  if (sizeBytes > maxBytes) {
    throw new Unfit(`${what} has ${beyond(sizeBytes, maxBytes)} are taken`, { sizeBytes });
  }
  const get = { bucket, key, ifMatch, signal };
  try {
    const type = await documentType(name, {
      async readAt(position, length) {
        const range = { first: position, last: position + length - 1 };
        return (await getObjectBytes(aws, { ...get, range })).bytes;
      },
      sizeBytes,
      allowed,
    }).catch((error: unknown) => {
      throw error instanceof CliError
        ? new Unfit(`${what}: ${error.message}`, { sizeBytes, cause: error })
        : error;
    });
    const { body } = await getObject(aws, get);
    return { head, type, ...(await hashAndScan(body, { scanner, signal, onRead: () => undefined })) };
  } catch (error) {
    if (httpStatus(error) !== 412 && httpStatus(error) !== 404) throw error;
    throw new CliError(`${what}: something else arrived while it was looked at`, {
      hint: "run the command again",
      cause: error,
    });
  }
}
