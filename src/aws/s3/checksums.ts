import { crc32 } from "node:zlib";

/** CRC32 of the bytes as S3 writes it: four bytes, big-endian, in base64. Native; 1 GiB takes about 0.2 s. */
export function crc32Base64(bytes: Uint8Array): string {
  return crcToBase64(crc32(bytes));
}

/** A CRC32 as S3 writes it. */
export function crcToBase64(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString("base64");
}

/**
 * The CRC32 of two byte strings one after the other, from their CRCs and the length of the second. Parts are so read
 * and summed in any order, and once only. Appending n zero bytes is a linear map over GF(2): the map for one zero bit is
 * squared until it stands for 2^k bytes, and applied where n has that bit (as in zlib's crc32_combine).
 */
export function combineCrc32(first: number, second: number, secondLength: number): number {
  let combined = first;
  let zeros = oneZeroBit();
  for (let squaring = 0; squaring < 3; squaring++) zeros = square(zeros);
  // Numbers, not bit operations: lengths go beyond 2^32.
  for (let rest = secondLength; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) combined = apply(zeros, combined);
    zeros = square(zeros);
  }
  return (combined ^ second) >>> 0;
}

/** The reflected CRC32 polynomial in the first column, a shift by one in the others. */
function oneZeroBit(): Uint32Array {
  const matrix = new Uint32Array(32);
  matrix[0] = 0xedb88320;
  for (let bit = 1; bit < 32; bit++) matrix[bit] = 2 ** (bit - 1);
  return matrix;
}

function apply(matrix: Uint32Array, vector: number): number {
  let sum = 0;
  for (let bit = 0; bit < 32; bit++) {
    if ((vector >>> bit) & 1) sum ^= matrix[bit] ?? 0;
  }
  return sum >>> 0;
}

function square(matrix: Uint32Array): Uint32Array {
  return matrix.map((column) => apply(matrix, column));
}
