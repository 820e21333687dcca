import {
  type GetObjectCommandOutput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
} from "@aws-sdk/client-s3";
import type { Aws } from "../clients.ts";
import { requestObject, wholeBody } from "./get-object.ts";
import { abortable, headOf } from "./objects.ts";
import { verificationOf } from "./verification.ts";

/** An object with all that a PutObject can give it again, under S3's own names; what it does not have is left out. */
export interface StoredWhole {
  readonly put: ObjectPut;
  readonly etag: string;
  readonly version: string | undefined;
  readonly sizeBytes: number;
  readonly lastModified: Date | undefined;
  /** Undefined where a server does not tell: then the tags have to be asked for. */
  readonly tagCount: number | undefined;
}

/** Input of PutObject. */
export interface ObjectPut {
  readonly Key: string;
  readonly CacheControl?: string;
  readonly ContentDisposition?: string;
  readonly ContentEncoding?: string;
  readonly ContentLanguage?: string;
  readonly ContentType?: string;
  /** ISO 8601. */
  readonly Expires?: string;
  readonly Metadata?: Readonly<Record<string, string>>;
  readonly StorageClass?: string;
  readonly WebsiteRedirectLocation?: string;
  /** `a=1&b=2`, URL-encoded. */
  readonly Tagging?: string;
}

interface Name {
  readonly bucket: string;
  readonly key: string;
  /** Answers PreconditionFailed once the object is another. */
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

/** Opens an object for reading, as `getObject` does. */
export async function openWhole(
  aws: Aws,
  get: Name,
): Promise<StoredWhole & { readonly body: AsyncIterable<Uint8Array> }> {
  const answer = await requestObject(aws, get);
  const verification = verificationOf(headOf(answer));
  return { ...wholeOf(get.key, answer), body: wholeBody(aws, get, { answer, verification }) };
}

/** The same without the bytes. A missing object and one that is another now are `NotFound` and a 412 without a name. */
export async function headWhole(aws: Aws, { bucket, key, ifMatch, signal }: Name): Promise<StoredWhole> {
  const s3 = await aws.s3();
  const command = new HeadObjectCommand({ Bucket: bucket, Key: key, IfMatch: ifMatch });
  return wholeOf(key, await s3.send(command, abortable(signal)));
}

function wholeOf(key: string, answer: GetObjectCommandOutput | HeadObjectCommandOutput): StoredWhole {
  const { Metadata: metadata = {}, ExpiresString: expires } = answer;
  const put = {
    Key: key,
    CacheControl: answer.CacheControl,
    ContentDisposition: answer.ContentDisposition,
    ContentEncoding: answer.ContentEncoding,
    ContentLanguage: answer.ContentLanguage,
    ContentType: answer.ContentType,
    Expires: isoTime(expires),
    Metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
    StorageClass: answer.StorageClass === "STANDARD" ? undefined : answer.StorageClass,
    WebsiteRedirectLocation: answer.WebsiteRedirectLocation,
  };
  return {
    put: Object.fromEntries(
      Object.entries(put).filter(([, value]) => value !== undefined),
    ) as unknown as ObjectPut,
    etag: answer.ETag ?? "",
    version: answer.VersionId,
    sizeBytes: answer.ContentLength ?? 0,
    lastModified: answer.LastModified,
    tagCount: answer.TagCount,
  };
}

/** A header that is no date is worth nothing to a browser either. */
function isoTime(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}
