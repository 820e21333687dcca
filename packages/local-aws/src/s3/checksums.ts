import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { startCrc32c, startCrc64 } from "./crc.ts";

export type ChecksumAlgorithm = "CRC32" | "CRC32C" | "CRC64NVME" | "SHA1" | "SHA256";
export type ChecksumType = "FULL_OBJECT" | "COMPOSITE";

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64; a composite one ends in `-{parts}`. */
  readonly value: string;
  readonly type: ChecksumType;
}

export const checksumBytes: Record<ChecksumAlgorithm, number> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

export const checksumAlgorithms = Object.keys(checksumBytes) as ChecksumAlgorithm[];

/** A checksum being computed; `digest` may be called once. */
export interface Summing {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

export function isChecksumAlgorithm(name: string): name is ChecksumAlgorithm {
  return Object.hasOwn(checksumBytes, name);
}

export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

export function startChecksum(algorithm: ChecksumAlgorithm): Summing {
  switch (algorithm) {
    case "SHA1":
    case "SHA256": {
      const hash = createHash(algorithm.toLowerCase());
      return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
    }
    case "CRC32": {
      let crc = 0;
      return {
        update(bytes) {
          crc = crc32(bytes, crc);
        },
        digest: () => uint32(crc),
      };
    }
    case "CRC32C":
      return startCrc32c();
    case "CRC64NVME":
      return startCrc64();
  }
}

/** The checksum of checksums that a multipart object of type COMPOSITE bears. */
export function compositeChecksum(algorithm: ChecksumAlgorithm, parts: readonly string[]): Checksum {
  const summing = startChecksum(algorithm);
  for (const part of parts) summing.update(Buffer.from(part, "base64"));
  const value = `${summing.digest().toString("base64")}-${parts.length}`;
  return { algorithm, value, type: "COMPOSITE" };
}

/**
 * The CRC of the joined parts out of the parts' own CRCs and lengths, without their bytes: appending n zero
 * bytes to the first is multiplying by x^8n modulo the polynomial.
 */
export function joinedChecksum(
  algorithm: "CRC32" | "CRC32C" | "CRC64NVME",
  parts: readonly { value: string; bytes: number }[],
): Checksum {
  const { width, polynomial } = crcs[algorithm];
  let joined = 0n;
  for (const part of parts) {
    const crc = BigInt(`0x${Buffer.from(part.value, "base64").toString("hex")}`);
    const shift = powerOfX(BigInt(part.bytes) * 8n, polynomial, width);
    joined = multiply(joined, shift, { polynomial, width }) ^ crc;
  }
  const value = Buffer.from(joined.toString(16).padStart(Number(width) / 4, "0"), "hex").toString("base64");
  return { algorithm, value, type: "FULL_OBJECT" };
}

/** Polynomials in reflected form: https://reveng.sourceforge.io/crc-catalogue/ */
const crcs = {
  CRC32: { width: 32n, polynomial: 0xedb88320n },
  CRC32C: { width: 32n, polynomial: 0x82f63b78n },
  CRC64NVME: { width: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
} as const;

interface Field {
  readonly polynomial: bigint;
  readonly width: bigint;
}

/** Product modulo the polynomial, in reflected order: the highest bit is x^0. */
function multiply(a: bigint, b: bigint, { polynomial, width }: Field): bigint {
  const one = 1n << (width - 1n);
  let product = 0n;
  let shifted = b;
  for (let bit = one; bit > 0n; bit >>= 1n) {
    if ((a & bit) !== 0n) product ^= shifted;
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}

function powerOfX(exponent: bigint, polynomial: bigint, width: bigint): bigint {
  const field = { polynomial, width };
  let result = 1n << (width - 1n);
  let square = 1n << (width - 2n);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = multiply(result, square, field);
    square = multiply(square, square, field);
  }
  return result;
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}
