/*
 * The two CRCs that Node has no native code for, eight bytes at a time from eight tables ("slicing-by-8").
 * Parameters: https://reveng.sourceforge.io/crc-catalogue/ (CRC-32/ISCSI, CRC-64/NVME).
 */

export interface Crc {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

export function startCrc32c(): Crc {
  const tables = (tables32c ??= makeTables32(0x82f63b78));
  let crc = 0xffffffff;
  return {
    update(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      let at = 0;
      for (const end = bytes.length - 7; at < end; at += 8) {
        const low = crc ^ view.getUint32(at, true);
        const high = view.getUint32(at + 4, true);
        crc =
          entry(tables, 1792 + (low & 0xff)) ^
          entry(tables, 1536 + ((low >>> 8) & 0xff)) ^
          entry(tables, 1280 + ((low >>> 16) & 0xff)) ^
          entry(tables, 1024 + (low >>> 24)) ^
          entry(tables, 768 + (high & 0xff)) ^
          entry(tables, 512 + ((high >>> 8) & 0xff)) ^
          entry(tables, 256 + ((high >>> 16) & 0xff)) ^
          entry(tables, high >>> 24);
      }
      for (; at < bytes.length; at++) crc = (crc >>> 8) ^ entry(tables, (crc ^ view.getUint8(at)) & 0xff);
    },
    digest() {
      const digest = Buffer.alloc(4);
      digest.writeUInt32BE(~crc >>> 0);
      return digest;
    },
  };
}

export function startCrc64(): Crc {
  const { lows, highs } = (tables64 ??= makeTables64(0x9a6c9329ac4bc9b5n));
  let low = 0xffffffff;
  let high = 0xffffffff;
  return {
    update(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      let at = 0;
      for (const end = bytes.length - 7; at < end; at += 8) {
        const first = low ^ view.getUint32(at, true);
        const second = high ^ view.getUint32(at + 4, true);
        const a = 1792 + (first & 0xff);
        const b = 1536 + ((first >>> 8) & 0xff);
        const c = 1280 + ((first >>> 16) & 0xff);
        const d = 1024 + (first >>> 24);
        const e = 768 + (second & 0xff);
        const f = 512 + ((second >>> 8) & 0xff);
        const g = 256 + ((second >>> 16) & 0xff);
        const h = second >>> 24;
        low = entry(lows, a) ^ entry(lows, b) ^ entry(lows, c) ^ entry(lows, d);
        low ^= entry(lows, e) ^ entry(lows, f) ^ entry(lows, g) ^ entry(lows, h);
        high = entry(highs, a) ^ entry(highs, b) ^ entry(highs, c) ^ entry(highs, d);
        high ^= entry(highs, e) ^ entry(highs, f) ^ entry(highs, g) ^ entry(highs, h);
      }
      for (; at < bytes.length; at++) {
        const index = (low ^ view.getUint8(at)) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ entry(lows, index);
        high = (high >>> 8) ^ entry(highs, index);
      }
    },
    digest() {
      const digest = Buffer.alloc(8);
      digest.writeUInt32BE(~high >>> 0);
      digest.writeUInt32BE(~low >>> 0, 4);
      return digest;
    },
  };
}

interface Tables64 {
  readonly lows: Uint32Array;
  readonly highs: Uint32Array;
}

let tables32c: Uint32Array | undefined;
let tables64: Tables64 | undefined;

function makeTables32(polynomial: number): Uint32Array {
  const tables = new Uint32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[n] = crc;
  }
  for (let n = 256; n < tables.length; n++) {
    const before = entry(tables, n - 256);
    tables[n] = (before >>> 8) ^ entry(tables, before & 0xff);
  }
  return tables;
}

function makeTables64(polynomial: bigint): Tables64 {
  const lows = new Uint32Array(8 * 256);
  const highs = new Uint32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let crc = BigInt(n);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    lows[n] = Number(crc & 0xffffffffn);
    highs[n] = Number(crc >> 32n);
  }
  for (let n = 256; n < lows.length; n++) {
    const low = entry(lows, n - 256);
    const high = entry(highs, n - 256);
    lows[n] = ((low >>> 8) | (high << 24)) ^ entry(lows, low & 0xff);
    highs[n] = (high >>> 8) ^ entry(highs, low & 0xff);
  }
  return { lows, highs };
}

/** The index is within the table by construction; a check in this loop would cost a third of its speed. */
function entry(table: Uint32Array, index: number): number {
  return table[index] as number;
}
