import { createHash } from "node:crypto";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";

/**
 * The test file on which all engines agree (https://www.eicar.org/download-anti-malware-testfile/). Put together here,
 * so that no engine finds it in this repository.
 */
export function eicar(): Buffer {
  const name = ["EICAR", "STANDARD", "ANTIVIRUS", "TEST", "FILE!"].join("-");
  return Buffer.from(["X5O!P%@AP[4", "\\PZX54(P^)", "7CC)7}", "$", name, "$H+H*"].join(""));
}

/** A ZIP archive (APPNOTE 6.3.10) with one deflated file. Encrypted: the flag and its 12 bytes, on bytes nobody can read. */
export function zip(name: string, content: Buffer, { encrypted = false } = {}): Buffer {
  const deflated = deflateRawSync(content);
  const stored = encrypted
    ? Buffer.concat([Buffer.alloc(12, 0xa5), deflated.map((byte) => byte ^ 0x5a)])
    : deflated;
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(encrypted ? 1 : 0, 2);
  fields.writeUInt16LE(8, 4);
  fields.writeUInt32LE(crc32(content), 10);
  fields.writeUInt32LE(stored.length, 14);
  fields.writeUInt32LE(content.length, 18);
  fields.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), fields, Buffer.from(name), stored]);
  const central = Buffer.concat([
    Buffer.from("PK\x01\x02\x14\x00", "latin1"),
    fields,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from("PK\x05\x06"), end]);
}

/** What the engine is to say of `officialDatabase`, in whatever time zone it runs. */
export const officialVersion = 27461;

/**
 * An unsigned database under the name of ClamAV's daily one, whose version and date clamd tells: a header of 512
 * bytes, then a gzipped tar of an index and one signature that matches nothing here.
 */
export function officialDatabase(): Buffer {
  const header = `ClamAV-VDB:20 Nov 2026 12-00 +0000:${officialVersion}:1:90:X:X:mawps:1795176000`;
  const signatures = Buffer.from(
    `Mawps.Test.Nothing:0:0:${Buffer.from("matches nothing here").toString("hex")}\n`,
  );
  const digest = createHash("sha256").update(signatures).digest("hex");
  const index = Buffer.from(`${header}\ndaily.ndb:${signatures.length}:${digest}\n`);
  const tar = Buffer.concat([
    tarEntry("COPYING", Buffer.from("x")),
    tarEntry("daily.info", index),
    tarEntry("daily.ndb", signatures),
    Buffer.alloc(1024),
  ]);
  return Buffer.concat([Buffer.from(header.padEnd(512)), gzipSync(tar)]);
}

function tarEntry(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}
