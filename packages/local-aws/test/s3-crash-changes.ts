import type { S3 } from "@aws-sdk/client-s3";

export const Bucket = "crash-bucket";
export const Key = "Käse/../größe 1";
const oldBody = "old ".repeat(1000);
const newBody = "new ".repeat(5000);

export interface Change {
  /** Makes the state before; what it returns is handed to `change`. */
  prepare(s3: S3): Promise<string>;
  change(s3: S3, prepared: string): Promise<unknown>;
  /** What reads of the key give before and after, undefined for nothing. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Blob files before and after. */
  readonly files: readonly [before: number, after: number];
}

async function putOld(s3: S3): Promise<string> {
  await s3.createBucket({ Bucket });
  await s3.putObject({ Bucket, Key, Body: oldBody });
  return "";
}

export const changes: Readonly<Record<string, Change>> = {
  create: {
    async prepare(s3) {
      await s3.createBucket({ Bucket });
      return "";
    },
    change: (s3) => s3.putObject({ Bucket, Key, Body: newBody }),
    before: undefined,
    after: newBody,
    files: [0, 1],
  },
  replace: {
    prepare: putOld,
    change: (s3) => s3.putObject({ Bucket, Key, Body: newBody }),
    before: oldBody,
    after: newBody,
    files: [1, 1],
  },
  remove: {
    prepare: putOld,
    change: (s3) => s3.deleteObject({ Bucket, Key }),
    before: oldBody,
    after: undefined,
    files: [1, 0],
  },
  copy: {
    async prepare(s3) {
      await putOld(s3);
      await s3.putObject({ Bucket, Key: "source", Body: newBody });
      return "";
    },
    change: (s3) => s3.copyObject({ Bucket, Key, CopySource: `${Bucket}/source` }),
    before: oldBody,
    after: newBody,
    files: [2, 2],
  },
  "complete an upload": {
    async prepare(s3) {
      await putOld(s3);
      const { UploadId = "" } = await s3.createMultipartUpload({ Bucket, Key });
      await s3.uploadPart({ Bucket, Key, UploadId, PartNumber: 1, Body: newBody });
      await s3.uploadPart({ Bucket, Key, UploadId, PartNumber: 2, Body: "never listed" });
      return UploadId;
    },
    async change(s3, UploadId) {
      const { Parts = [] } = await s3.listParts({ Bucket, Key, UploadId });
      const listed = Parts.slice(0, 1).map(({ ETag, PartNumber }) => ({ ETag, PartNumber }));
      await s3.completeMultipartUpload({ Bucket, Key, UploadId, MultipartUpload: { Parts: listed } });
    },
    before: oldBody,
    after: newBody,
    files: [3, 1],
  },
};
