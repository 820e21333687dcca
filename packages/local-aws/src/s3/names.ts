import { isIPv4 } from "node:net";
import { S3Fault } from "./fault.ts";

const maxKeyBytes = 1024;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export function checkBucketName(name: string): void {
  const shaped = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name);
  const reserved =
    /^(xn--|sthree-|amzn-s3-demo-)/.test(name) || /(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name);
  if (!shaped || name.includes("..") || isIPv4(name) || reserved) {
    throw new S3Fault("InvalidBucketName", { fields: { BucketName: name } });
  }
}

/** A key is any Unicode text of 1 to 1,024 bytes in UTF-8. */
export function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > maxKeyBytes) {
    throw new S3Fault("KeyTooLongError", { fields: { Size: bytes, MaxSizeAllowed: maxKeyBytes } });
  }
}
