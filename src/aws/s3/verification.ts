import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { crcToBase64 } from "./checksums.ts";
import { crc64Nvme } from "./crc64-nvme.ts";

/** How S3 computed the checksum that it keeps: over the whole object, or over the checksums of its parts. */
export interface StoredChecksum {
  readonly algorithm: "CRC32" | "CRC32C" | "CRC64NVME" | "SHA1" | "SHA256";
  readonly type: "FULL_OBJECT" | "COMPOSITE";
  /** Base64, with `-{parts}` behind it when composite. */
  readonly value: string;
}

/** What S3 says of an object's bytes. */
interface Sums {
  readonly etag: string;
  readonly checksum: StoredChecksum | undefined;
  readonly encryption: string | undefined;
}

/** What received bytes were compared with; `size` when S3 keeps no sum that the bytes alone can be checked against. */
export type Verified = "sha256" | "CRC32" | "CRC64NVME" | "SHA1" | "SHA256" | "MD5" | "size";

/** Sums up bytes in the order of the object and says in the end whether they are the right ones. */
export interface Verification {
  readonly by: Verified;
  update(bytes: Uint8Array): void;
  matches(): boolean;
  /** The CRC32 of the bytes so far, where that is what they are checked by: nobody need sum it up again. */
  readonly crc32?: () => number;
}

/**
 * The best check that an object allows: a SHA-256 known to the caller (hex), else the sum that S3 keeps of the whole
 * object, else the ETag where that is an MD5 (one part, not encrypted with KMS). Sums of sums of parts are
 * passed over: S3 does not say where each part ended.
 */
export function verificationOf(head: Sums, sha256?: string): Verification {
  if (sha256 !== undefined)
    return byHash("sha256", "sha256", (digest) => digest.toString("hex") === sha256.toLowerCase());
  const sum = head.checksum?.type === "FULL_OBJECT" ? head.checksum : undefined;
  const sameSum = (digest: Buffer) => digest.toString("base64") === sum?.value;
  if (sum?.algorithm === "CRC32") return byCrc32(sum.value);
  if (sum?.algorithm === "SHA256") return byHash("SHA256", "sha256", sameSum);
  if (sum?.algorithm === "SHA1") return byHash("SHA1", "sha1", sameSum);
  const md5 = /^"?([0-9a-f]{32})"?$/.exec(head.etag)?.[1];
  if (md5 !== undefined && (head.encryption ?? "AES256") === "AES256") {
    return byHash("MD5", "md5", (digest) => digest.toString("hex") === md5);
  }
  // Last, because it is the one that Node computes in JavaScript only.
  if (sum?.algorithm === "CRC64NVME") return byCrc64(sum.value);
  return { by: "size", update() {}, matches: () => true };
}

function byHash(by: Verified, algorithm: string, isRight: (digest: Buffer) => boolean): Verification {
  const hash = createHash(algorithm);
  return { by, update: (bytes) => void hash.update(bytes), matches: () => isRight(hash.digest()) };
}

function byCrc32(expected: string): Verification {
  let crc = 0;
  return {
    by: "CRC32",
    update(bytes) {
      crc = crc32(bytes, crc);
    },
    matches: () => crcToBase64(crc) === expected,
    crc32: () => crc,
  };
}

function byCrc64(expected: string): Verification {
  const crc = crc64Nvme();
  return {
    by: "CRC64NVME",
    update: (bytes) => crc.update(bytes),
    matches: () => crc.digest().toString("base64") === expected,
  };
}
