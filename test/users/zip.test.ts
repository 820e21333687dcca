import { execFileSync } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { expect, it } from "vitest";
import { zipWriter, type ZipWriter } from "../../src/users/export/zip.ts";

/** What another program reads out of a file that has these pieces, of which the block of zeros is left out as a hole. */
async function readBack(
  write: (zip: ZipWriter) => AsyncGenerator<Uint8Array>,
  program: string,
): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-zip-"));
  try {
    const file = join(folder, "a.zip");
    const handle = await open(file, "w");
    let at = 0;
    for await (const piece of write(zipWriter())) {
      if (piece !== zeros) await handle.write(piece, 0, piece.byteLength, at);
      at += piece.byteLength;
    }
    await handle.close();
    const head = "import zipfile,sys,json\nz=zipfile.ZipFile(sys.argv[1])\n";
    return JSON.parse(execFileSync("python3", ["-c", head + program, file]).toString());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const zeros = Buffer.alloc(1024 ** 2);
const modifiedAt = new Date(2026, 2, 1, 12, 30, 15);

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

it("writes files that another program finds with their names, times, modes and bytes", async () => {
  const extra = Buffer.from("mw\u0003\0abc", "latin1");
  const found = await readBack(async function* (zip) {
    yield* zip.entry({ name: "a/größe 😀.txt", modifiedAt, extra }, bytesOf("Grüße"));
    yield* zip.entry({ name: "empty", modifiedAt: new Date(1970, 0, 1) }, bytesOf(""));
    const crc = crc32(Buffer.from("summed"));
    yield* zip.entry({ name: "summed", modifiedAt, crc32: () => crc }, bytesOf("summed"));
    yield* zip.end();
  }, "assert z.testzip() is None\nprint(json.dumps([[i.filename,i.date_time[:5],oct(i.external_attr>>16),z.read(i).decode()] for i in z.infolist()]))");
  expect(found).toEqual([
    ["a/größe 😀.txt", [2026, 3, 1, 12, 30], "0o100600", "Grüße"],
    ["empty", [1980, 1, 1, 0, 0], "0o100600", ""],
    ["summed", [2026, 3, 1, 12, 30], "0o100600", "summed"],
  ]);
});

it("writes a file of more than 4 GiB and one behind it", async () => {
  const blocks = 4 * 1024 + 1;
  const found = await readBack(async function* (zip) {
    // What the sum of the zeros is does not matter here.
    const large = (async function* () {
      for (let block = 0; block < blocks; block += 1) yield zeros;
    })();
    yield* zip.entry({ name: "large", modifiedAt, crc32: () => 0 }, large);
    yield* zip.entry({ name: "behind", modifiedAt }, bytesOf("here"));
    yield* zip.end();
  }, "print(json.dumps([[i.filename,i.file_size] for i in z.infolist()]+[z.read('behind').decode()]))");
  expect(found).toEqual([["large", blocks * zeros.length], ["behind", 4], "here"]);
});

it("writes more than 65,535 files", async () => {
  const count = 65_536;
  const found = await readBack(async function* (zip) {
    // In one piece: so many small writes would take long.
    const pieces: Uint8Array[] = [];
    for (let each = 0; each < count; each += 1)
      for await (const piece of zip.entry({ name: String(each), modifiedAt }, bytesOf("x")))
        pieces.push(piece);
    yield Buffer.concat([...pieces, ...zip.end()]);
  }, "print(json.dumps([len(z.infolist()),z.read('65535').decode()]))");
  expect(found).toEqual([count, "x"]);
});
