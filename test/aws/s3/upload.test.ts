import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { createHash, randomBytes } from "node:crypto";
import { getEventListeners } from "node:events";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { combineCrc32, crcToBase64 } from "../../../src/aws/s3/checksums.ts";
import type { Aws } from "../../../src/aws/clients.ts";
import { getObjectBytes, headObject } from "../../../src/aws/s3/objects.ts";
import { uploadFile, uploadStream } from "../../../src/aws/s3/upload.ts";
import type { FaultyServer, SeenRequest } from "../../support/faulty-server.ts";
import { openLocalAws, type LocalAws } from "../../support/local-aws.ts";

const partSizeBytes = 5 * 1024 ** 2;
const bytes = randomBytes(3 * partSizeBytes + 1234);

let local: LocalAws;
let aws: Aws;
/** Clients of the same store by way of a server on which things go wrong. */
let outside: Aws;
let server: FaultyServer;
let path: string;
let key: string;
let count = 0;

beforeAll(async () => {
  local = await openLocalAws();
  ({ aws } = local);
  ({ server, aws: outside } = await local.faulty());
});

afterAll(() => local.close());

beforeEach(async () => {
  key = `uploads/${count++}`;
  path = join(local.folder, `file-${count}`);
  await writeFile(path, bytes);
  server.fault = undefined;
  server.requests.length = 0;
});

const file = () => ({ bucket: "plain", key, source: { path }, partSizeBytes });
const stored = async () => (await getObjectBytes(aws, { bucket: "plain", key })).bytes;
const isPart = ({ method, query }: SeenRequest) => method === "PUT" && query.has("partNumber");
const partsSent = () =>
  server.requests
    .filter(isPart)
    .map(({ query }) => Number(query.get("partNumber")))
    .sort((a, b) => a - b);

/** Uploads parts 1 and 2, then gives up. */
async function interrupt(): Promise<void> {
  const abort = new AbortController();
  server.fault = (request) =>
    isPart(request) && Number(request.query.get("partNumber")) > 2 ? "hang" : undefined;
  const onProgress = (sentBytes: number) => {
    if (sentBytes === 2 * partSizeBytes) abort.abort();
  };
  const work = uploadFile(outside, { ...file(), onProgress, signal: abort.signal });
  await expect(work).rejects.toMatchObject({ name: "AbortError" });
  server.fault = undefined;
  server.requests.length = 0;
}

async function unfinished(): Promise<string[]> {
  const s3 = await aws.s3();
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: "plain", Prefix: key }));
  return Uploads.filter(({ Key }) => Key === key).map(({ UploadId }) => UploadId ?? "");
}

describe("a file", () => {
  test("of several parts arrives whole, with the checksum of the whole", async () => {
    const progress: number[] = [];
    const uploaded = await uploadFile(aws, {
      ...file(),
      contentType: "application/pdf",
      metadata: { a: "1" },
      tags: { t: "1" },
      onProgress: (sentBytes) => progress.push(sentBytes),
    });
    expect(uploaded).toMatchObject({
      sizeBytes: bytes.byteLength,
      crc32: crcToBase64(crc32(bytes)),
      verified: "object",
      resumedBytes: 0,
    });
    expect((await stored()).equals(bytes)).toBe(true);
    expect(await headObject(aws, { bucket: "plain", key })).toMatchObject({
      contentType: "application/pdf",
      metadata: { a: "1" },
      checksum: { algorithm: "CRC32", type: "FULL_OBJECT", value: uploaded.crc32 },
    });
    expect(progress).toHaveLength(4);
    expect(progress.at(-1)).toBe(bytes.byteLength);
    expect(await unfinished()).toEqual([]);
  });

  test.for([0, 1, partSizeBytes - 1, partSizeBytes, partSizeBytes + 1, 2 * partSizeBytes])(
    "of %i bytes arrives whole",
    async (sizeBytes) => {
      await writeFile(path, bytes.subarray(0, sizeBytes));
      expect(await uploadFile(aws, file())).toMatchObject({ sizeBytes, verified: "object" });
      expect((await stored()).equals(bytes.subarray(0, sizeBytes))).toBe(true);
    },
  );

  test("goes in one call below what a site says, and from there in its parts, so many at once", async () => {
    const parts = { fromBytes: bytes.byteLength, partBytes: partSizeBytes, atOnce: 4 };
    const { partSizeBytes: _ours, ...upload } = file();
    let arrived = 0;
    let open = () => {};
    const all = new Promise<void>((resolve) => {
      open = resolve;
    });
    server.fault = async (request) => {
      if (!isPart(request)) return undefined;
      arrived += 1;
      // Nobody is answered before all four are there.
      if (arrived === 4) open();
      await all;
      return undefined;
    };
    await uploadFile(outside, { ...upload, parts });
    expect(partsSent()).toEqual([1, 2, 3, 4]);
    expect((await stored()).equals(bytes)).toBe(true);
    server.requests.length = 0;
    await writeFile(path, bytes.subarray(1));
    await uploadFile(outside, { ...upload, parts });
    expect(server.requests.map(({ method }) => method)).toEqual(["PUT"]);
    expect((await stored()).equals(bytes.subarray(1))).toBe(true);
  });

  test("is shown once and in order to whoever reads along", async () => {
    const hash = createHash("sha256");
    await uploadFile(aws, { ...file(), onRead: (read) => void hash.update(read) });
    expect(hash.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
  });

  test("survives parts that are throttled, cut off or whose answers get lost", async () => {
    const met = new Set<string>();
    server.fault = (request) => {
      const part = request.query.get("partNumber");
      if (part === null || met.has(part)) return undefined;
      met.add(part);
      if (part === "1") return { status: 503, body: "<Error><Code>SlowDown</Code></Error>" };
      return part === "2" ? "cut" : "lose the answer";
    };
    await uploadFile(outside, file());
    expect((await stored()).equals(bytes)).toBe(true);
  });

  test("is complete although the answer that says so got lost", async () => {
    let lost = false;
    server.fault = ({ method, query }) => {
      if (method !== "POST" || !query.has("uploadId") || lost) return undefined;
      lost = true;
      return "lose the answer";
    };
    expect(await uploadFile(outside, file())).toMatchObject({
      verified: "object",
      crc32: crcToBase64(crc32(bytes)),
    });
    expect((await stored()).equals(bytes)).toBe(true);
  });

  test("that must be new does not replace another", async () => {
    await uploadFile(aws, file());
    await writeFile(path, Buffer.alloc(bytes.byteLength));
    await expect(uploadFile(aws, { ...file(), ifNoneMatch: "*" })).rejects.toMatchObject({
      name: "PreconditionFailed",
    });
    expect((await stored()).equals(bytes)).toBe(true);
  });

  test("that grows while it is read is not stored", async () => {
    const grow = async () => appendFile(path, "more");
    await expect(uploadFile(aws, { ...file(), onRead: grow })).rejects.toThrow(
      "changed while it was being uploaded",
    );
    expect(await headObject(aws, { bucket: "plain", key })).toBeUndefined();
  });
});

describe("an interrupted upload", () => {
  test("goes on with the missing parts, and still shows all bytes", async () => {
    await interrupt();
    expect(await headObject(aws, { bucket: "plain", key })).toBeUndefined();
    expect(await unfinished()).toHaveLength(1);
    const hash = createHash("sha256");
    const uploaded = await uploadFile(outside, { ...file(), onRead: (read) => void hash.update(read) });
    expect(uploaded).toMatchObject({ resumedBytes: 2 * partSizeBytes, verified: "object" });
    expect(partsSent()).toEqual([3, 4]);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect((await stored()).equals(bytes)).toBe(true);
    expect(await unfinished()).toEqual([]);
  });

  test("starts over, and says so, when the file is another one", async () => {
    await interrupt();
    const other = Buffer.from(bytes);
    other[partSizeBytes + 7] = (other[partSizeBytes + 7] ?? 0) ^ 1;
    await writeFile(path, other);
    const notes: string[] = [];
    await uploadFile(outside, { ...file(), onStartedOver: (why) => notes.push(why) });
    expect(notes).toEqual(["the file changed"]);
    expect(partsSent()).toEqual([1, 2, 3, 4]);
    expect((await stored()).equals(other)).toBe(true);
    expect(await unfinished()).toEqual([]);
  });

  test("starts over, and says so, when the parts are of another size", async () => {
    await interrupt();
    const notes: string[] = [];
    await uploadFile(outside, {
      ...file(),
      partSizeBytes: 6 * 1024 ** 2,
      onStartedOver: (why) => notes.push(why),
    });
    expect(notes).toEqual(["the part size differs"]);
    expect((await stored()).equals(bytes)).toBe(true);
    expect(await unfinished()).toEqual([]);
  });

  test("is left alone when it must not be resumed", async () => {
    await interrupt();
    expect(await uploadFile(outside, { ...file(), resume: false })).toMatchObject({ resumedBytes: 0 });
    expect(partsSent()).toEqual([1, 2, 3, 4]);
    expect(await unfinished()).toHaveLength(1);
  });

  test("of another program, whose sums are of another kind, is not touched", async () => {
    const s3 = await aws.s3();
    const target = { Bucket: "plain", Key: key };
    const { UploadId } = await s3.send(
      new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: "SHA256" }),
    );
    await s3.send(
      new UploadPartCommand({
        ...target,
        UploadId,
        PartNumber: 1,
        Body: bytes.subarray(0, partSizeBytes),
        ChecksumAlgorithm: "SHA256",
      }),
    );
    expect(await uploadFile(outside, file())).toMatchObject({ resumedBytes: 0 });
    expect(await unfinished()).toEqual([UploadId]);
  });

  test("goes by the ETags on a server that lists no sums", async () => {
    await interrupt();
    const [uploadId = ""] = await unfinished();
    const part = (number: number) => {
      const etag = createHash("md5")
        .update(bytes.subarray((number - 1) * partSizeBytes, number * partSizeBytes))
        .digest("hex");
      return `<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag><Size>${partSizeBytes}</Size></Part>`;
    };
    const upload = `<Upload><Key>${key}</Key><UploadId>${uploadId}</UploadId><Initiated>2026-03-01T12:00:00Z</Initiated></Upload>`;
    server.fault = ({ method, query }) => {
      if (method !== "GET") return undefined;
      const body = query.has("uploads")
        ? `<ListMultipartUploadsResult>${upload}</ListMultipartUploadsResult>`
        : `<ListPartsResult>${part(1)}${part(2)}</ListPartsResult>`;
      return { status: 200, body };
    };
    expect(await uploadFile(outside, file())).toMatchObject({
      resumedBytes: 2 * partSizeBytes,
      verified: "object",
    });
    expect(partsSent()).toEqual([3, 4]);
    expect((await stored()).equals(bytes)).toBe(true);
  });

  test("leaves nothing behind when it is told to", async () => {
    server.fault = (request) =>
      isPart(request) ? { status: 400, body: "<Error><Code>Broken</Code></Error>" } : undefined;
    await expect(uploadFile(outside, { ...file(), removeOnFailure: true })).rejects.toMatchObject({
      name: "Broken",
    });
    expect(await unfinished()).toEqual([]);
  });
});

describe("a stream", () => {
  async function* chunks(sizeBytes: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < sizeBytes; at += 100_003)
      yield bytes.subarray(at, Math.min(at + 100_003, sizeBytes));
  }

  test.for([0, 1, partSizeBytes - 1, partSizeBytes, partSizeBytes + 1, bytes.byteLength])(
    "of %i bytes, which nobody knew before, arrives whole",
    async (sizeBytes) => {
      const hash = createHash("sha256");
      const uploaded = await uploadStream(aws, {
        bucket: "plain",
        key,
        source: chunks(sizeBytes),
        partSizeBytes,
        onRead: (read) => void hash.update(read),
      });
      const expected = bytes.subarray(0, sizeBytes);
      expect(uploaded).toMatchObject({ sizeBytes, crc32: crcToBase64(crc32(expected)) });
      expect((await stored()).equals(expected)).toBe(true);
      expect(hash.digest("hex")).toBe(createHash("sha256").update(expected).digest("hex"));
    },
  );

  test("that fails leaves neither object nor parts", async () => {
    async function* failing() {
      yield bytes;
      throw new Error("the pipe broke");
    }
    const upload = uploadStream(aws, { bucket: "plain", key, source: failing(), partSizeBytes });
    await expect(upload).rejects.toThrow("the pipe broke");
    expect(await headObject(aws, { bucket: "plain", key })).toBeUndefined();
    expect(await unfinished()).toEqual([]);
  });

  test("leaves nothing on the signal of the run", async () => {
    const { signal } = new AbortController();
    await uploadStream(aws, {
      bucket: "plain",
      key,
      source: chunks(bytes.byteLength),
      partSizeBytes,
      signal,
    });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("that never gives another byte does not hold up an abort", async () => {
    const abort = new AbortController();
    async function* hanging() {
      yield bytes;
      setImmediate(() => abort.abort());
      await new Promise(() => undefined);
    }
    const upload = uploadStream(aws, {
      bucket: "plain",
      key,
      source: hanging(),
      partSizeBytes,
      signal: abort.signal,
    });
    await expect(upload).rejects.toMatchObject({ name: "AbortError" });
    expect(await unfinished()).toEqual([]);
  });
});

test("the CRC32 of a whole follows from those of its parts", () => {
  for (const cut of [0, 1, 2, 1000, 65_537, bytes.byteLength]) {
    const tail = bytes.subarray(cut);
    expect(combineCrc32(crc32(bytes.subarray(0, cut)), crc32(tail), tail.byteLength)).toBe(crc32(bytes));
  }
});
