/**
 * CRC-64/NVME (reflected, polynomial 0x9a6c9329ac4bc9b5, all ones in and out), the sum that S3 keeps of an object when its
 * sender chose none. Node has no native one. In halves of 32 bits: BigInt would cost ten times as much.
 */
export function crc64Nvme(): { update(bytes: Uint8Array): void; digest(): Buffer } {
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update(bytes) {
      const { highs, lows } = (tables ??= makeTables());
      let h = high;
      let l = low;
      for (let at = 0; at < bytes.length; at++) {
        const index = (l ^ (bytes[at] ?? 0)) & 0xff;
        l = ((l >>> 8) | (h << 24)) ^ (lows[index] ?? 0);
        h = (h >>> 8) ^ (highs[index] ?? 0);
      }
      high = h;
      low = l;
    },
    digest() {
      const bytes = Buffer.alloc(8);
      bytes.writeUInt32BE(~high >>> 0, 0);
      bytes.writeUInt32BE(~low >>> 0, 4);
      return bytes;
    },
  };
}

interface Tables {
  readonly highs: Uint32Array;
  readonly lows: Uint32Array;
}

let tables: Tables | undefined;

function makeTables(): Tables {
  const highs = new Uint32Array(256);
  const lows = new Uint32Array(256);
  for (let index = 0; index < 256; index++) {
    let high = 0;
    let low = index;
    for (let bit = 0; bit < 8; bit++) {
      const odd = (low & 1) === 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (odd) {
        high ^= 0x9a6c9329;
        low ^= 0xac4bc9b5;
      }
    }
    highs[index] = high;
    lows[index] = low;
  }
  return { highs, lows };
}
