import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type ChecksumAlgorithm, joinedChecksum, startChecksum } from "../src/s3/checksums.ts";

function sum(algorithm: ChecksumAlgorithm, ...pieces: Uint8Array[]): Buffer {
  const summing = startChecksum(algorithm);
  for (const piece of pieces) summing.update(piece);
  return summing.digest();
}

// The check values of https://reveng.sourceforge.io/crc-catalogue/ and of FIPS 180-4's tools.
test.each([
  ["CRC32", "cbf43926"],
  ["CRC32C", "e3069283"],
  ["CRC64NVME", "ae8b14860a799888"],
  ["SHA1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"],
  ["SHA256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"],
] as const)("%s of 123456789", (algorithm, expected) => {
  expect(sum(algorithm, Buffer.from("123456789")).toString("hex")).toBe(expected);
});

test.each(["CRC32", "CRC32C", "CRC64NVME"] as const)(
  "%s does not depend on how bytes arrive",
  (algorithm) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (pieces) => {
        expect(sum(algorithm, ...pieces)).toEqual(sum(algorithm, Buffer.concat(pieces)));
      }),
    );
  },
);

test.each(["CRC32", "CRC32C", "CRC64NVME"] as const)(
  "%s of the parts gives that of the whole",
  (algorithm) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }), (parts) => {
        const sums = parts.map((part) => ({
          value: sum(algorithm, part).toString("base64"),
          bytes: part.length,
        }));
        expect(joinedChecksum(algorithm, sums)).toEqual({
          algorithm,
          type: "FULL_OBJECT",
          value: sum(algorithm, Buffer.concat(parts)).toString("base64"),
        });
      }),
    );
  },
);
