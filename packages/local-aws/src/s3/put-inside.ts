import { Readable } from "node:stream";
import type { LocalRequest } from "../service.ts";
import { type Call, type Store } from "./call.ts";
import { putObject } from "./put-object.ts";

/** An object that another service of the same store writes. */
export interface InsidePut {
  readonly bucket: string;
  readonly key: string;
  readonly body: Buffer;
}

/** Writes an object as the store's own account would, by the same way as every other. Throws an `S3Fault`. */
export async function putInside(store: Store, { bucket, key, body }: InsidePut): Promise<void> {
  const { accessKeyId } = store.options.credentials;
  const request: LocalRequest = {
    method: "PUT",
    path: `/${bucket}/${key}`,
    query: "",
    headers: { "content-length": String(body.length) },
    body: Readable.from(body.length === 0 ? [] : [body]),
  };
  const call: Call = {
    store,
    request,
    headers: request.headers,
    query: new Map(),
    target: { bucket, key },
    sender: {
      kind: "authenticated",
      by: "header",
      accessKeyId,
      payload: "unsigned",
      payloadSha256: undefined,
      signature: "",
      signing: { key: Buffer.alloc(0), timestamp: "", scope: "" },
    },
    now: store.options.now(),
    may: () => true,
  };
  await putObject(call);
}
