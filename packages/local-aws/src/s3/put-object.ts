import type { LocalResponse } from "../service.ts";
import { type Call, bucketOf, keyOf, respond } from "./call.ts";
import { type Checksum, checksumHeader } from "./checksums.ts";
import { keepingUnlessFailed, storeBody } from "./content.ts";
import { describe, encryptionHeaders } from "./description.ts";
import { checkKey } from "./names.ts";
import { checkWriteConditions } from "./preconditions.ts";
import type { Bucket, StoredObject } from "./records.ts";
import { commitObject, versionHeader, withKeys } from "./versions.ts";

/** PutObject: the new object is visible as a whole or not at all. */
export async function putObject(call: Call): Promise<LocalResponse> {
  const bucket = bucketOf(call);
  const key = keyOf(call);
  checkKey(key);
  const description = describe(call.headers, bucket);
  // Asked before the body is taken in, to refuse early, and again under the lock, where it counts.
  checkWriteConditions(call.headers, await call.store.index.newest(bucket.name, key), key);
  const content = await storeBody(call, "CRC64NVME");
  return await keepingUnlessFailed(content, () =>
    withKeys(call.store, { bucket: bucket.name, keys: [key] }, async (bucket) => {
      checkWriteConditions(call.headers, await call.store.index.newest(bucket.name, key), key);
      const object = await commitObject(call, { bucket, key }, { description, content });
      return respond(200, writtenHeaders(bucket, object));
    }),
  );
}

/** What every answer to a finished write says. */
export function writtenHeaders(bucket: Bucket, object: StoredObject): Record<string, string> {
  return {
    etag: `"${object.etag}"`,
    ...encryptionHeaders(object.encryption),
    ...checksumHeaders(object.checksum),
    ...versionHeader(bucket, object),
  };
}

export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return { [checksumHeader(checksum.algorithm)]: checksum.value, "x-amz-checksum-type": checksum.type };
}
