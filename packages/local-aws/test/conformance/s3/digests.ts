import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { ChecksumAlgorithm } from "@aws-sdk/client-s3";

/** The five checksums of S3 with their header names, computed apart from the SDK and the store under test. */
export const digests: readonly {
  algorithm: ChecksumAlgorithm;
  header: string;
  of: (bytes: Uint8Array) => string;
}[] = [
  { algorithm: "CRC32", header: "x-amz-checksum-crc32", of: (bytes) => base64(BigInt(crc32(bytes)), 4) },
  {
    algorithm: "CRC32C",
    header: "x-amz-checksum-crc32c",
    of: (bytes) => base64(reflectedCrc(bytes, 0x82f6_3b78n, 32n), 4),
  },
  {
    algorithm: "CRC64NVME",
    header: "x-amz-checksum-crc64nvme",
    of: (bytes) => base64(reflectedCrc(bytes, 0x9a6c_9329_ac4b_c9b5n, 64n), 8),
  },
  { algorithm: "SHA1", header: "x-amz-checksum-sha1", of: (bytes) => hash("sha1", bytes) },
  { algorithm: "SHA256", header: "x-amz-checksum-sha256", of: (bytes) => hash("sha256", bytes) },
];

/** Base64 CRC32 of bytes. */
export function crc32Of(bytes: Uint8Array): string {
  return base64(BigInt(crc32(bytes)), 4);
}

/** Base64 MD5, as Content-MD5 carries it. */
export function md5Of(bytes: Uint8Array | string): string {
  return hash("md5", bytes);
}

/** Hex MD5, as an ETag carries it. */
export function md5Hex(bytes: Uint8Array | string): string {
  return createHash("md5").update(bytes).digest("hex");
}

function hash(name: string, bytes: Uint8Array | string): string {
  return createHash(name).update(bytes).digest("base64");
}

/** Bit by bit: slow, for some hundred bytes. The polynomial is given reflected. */
function reflectedCrc(bytes: Uint8Array, polynomial: bigint, width: bigint): bigint {
  const ones = (1n << width) - 1n;
  let crc = ones;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  }
  return crc ^ ones;
}

function base64(value: bigint, bytes: number): string {
  return Buffer.from(value.toString(16).padStart(bytes * 2, "0"), "hex").toString("base64");
}
