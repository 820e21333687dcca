import { describe, expect, it } from "vitest";
import { documentType } from "../../src/documents/content-type.ts";
import { CliError } from "../../src/errors.ts";
import { documentTypes } from "../../src/model/document-types.ts";

const every = documentTypes.map(({ ext }) => ext);

/** A ZIP archive with stored entries: local headers, central directory, end record (APPNOTE 4.3). */
function zip(entries: readonly (readonly [name: string, content: string])[], comment = ""): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of entries) {
    const head = Buffer.alloc(26);
    head.writeUInt32LE(content.length, 14);
    head.writeUInt32LE(content.length, 18);
    head.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), head, Buffer.from(name), Buffer.from(content)]);
    const where = Buffer.alloc(14);
    where.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), head, where, Buffer.from(name)]));
    files.push(local);
    at += local.byteLength;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(central.byteLength, 8);
  end.writeUInt32LE(at, 12);
  end.writeUInt16LE(comment.length, 16);
  return Buffer.concat([...files, central, Buffer.from("PK\x05\x06"), end, Buffer.from(comment)]);
}

const types = ["[Content_Types].xml", "<Types/>"] as const;
const docx = zip([types, ["word/document.xml", "<w/>"]]);
const odt = zip([
  ["mimetype", "application/vnd.oasis.opendocument.text"],
  ["content.xml", "<c/>"],
]);

async function judge(name: string, content: Buffer, allowed = every): Promise<string> {
  try {
    const readAt = async (at: number, length: number) => content.subarray(at, at + length);
    return (await documentType(name, { readAt, sizeBytes: content.byteLength, allowed })).ext;
  } catch (error) {
    if (error instanceof CliError) return error.message;
    throw error;
  }
}

describe("documentType takes", () => {
  it.each([
    ["a PDF", "a.pdf", Buffer.from("%PDF-1.7\n%âãÏÓ"), "pdf"],
    ["a PDF behind a byte order mark", "a.pdf", Buffer.from("\ufeff\n%PDF-1.4"), "pdf"],
    ["an extension in capitals", "A.PDF", Buffer.from("%PDF-1.7"), "pdf"],
    ["a PNG", "a.png", Buffer.from("\x89PNG\r\n\x1a\n....", "latin1"), "png"],
    ["a JPEG under each of its extensions", "a.jpeg", Buffer.from("\xff\xd8\xff\xe0", "latin1"), "jpg"],
    ["a Word document", "a.docx", docx, "docx"],
    [
      "one with a comment on its archive",
      "a.docx",
      zip([types, ["word/document.xml", ""]], "PK\x05\x06"),
      "docx",
    ],
    ["an Excel sheet", "a.xlsx", zip([types, ["xl/workbook.xml", ""]]), "xlsx"],
    ["an OpenDocument text", "a.odt", odt, "odt"],
    ["text in UTF-8", "a.txt", Buffer.from("Größe: 5 €\n"), "txt"],
    ["text in Windows-1252", "a.txt", Buffer.from("Gr\xf6\xdfe \x96 5 \x80\r\n", "latin1"), "txt"],
    ["text in UTF-16 with its mark", "a.txt", Buffer.from("\ufeffGröße\r\n", "utf16le"), "txt"],
  ])("%s", async (_what, name, content, ext) => {
    expect(await judge(name, content)).toBe(ext);
  });

  it("long text that is cut within a character where its head ends", async () => {
    expect(await judge("a.txt", Buffer.from(`x${"ö".repeat(60_000)}`))).toBe("txt");
  });
});

describe("documentType refuses", () => {
  it.each([
    ["a program named as a PDF", "a.pdf", Buffer.from("MZ\x90"), /Windows program, not pdf/],
    ["a PDF named as a picture", "a.png", Buffer.from("%PDF-1.7"), /content is pdf, not png/],
    ["a program named as text", "a.txt", Buffer.from("\x7fELF\x02\x01"), /Linux program/],
    ["binary data named as text", "a.txt", Buffer.from("abc\0def"), /no known kind/],
    ["a program under its own name", "a.exe", Buffer.from("MZ"), /not among/],
    ["a name without an extension", "Lebenslauf", Buffer.from("%PDF-1.7"), /says no kind of file/],
    ["an archive named as a document", "a.docx", zip([["a.exe", "MZ"]]), /ZIP archive, not docx/],
    ["a sheet named as a text", "a.docx", zip([types, ["xl/workbook.xml", ""]]), /xlsx, not docx/],
    [
      "a document with macros",
      "a.docx",
      zip([types, ["word/document.xml", ""], ["word/vbaProject.bin", ""]]),
      /macros/,
    ],
    ["an archive that is cut off", "a.docx", docx.subarray(0, -5), /damaged/],
    ["an archive with something behind it", "a.docx", Buffer.concat([docx, Buffer.from("MZ")]), /damaged/],
    [
      "an OpenDocument file of another kind",
      "a.odt",
      zip([
        ["mimetype", "application/vnd.oasis.opendocument.chart"],
        ["content.xml", ""],
      ]),
      /another OpenDocument/,
    ],
    ["an encrypted or old Office document", "a.docx", Buffer.from("d0cf11e0a1b11ae1", "hex"), /OLE/],
  ])("%s", async (_what, name, content, why) => {
    expect(await judge(name, content)).toMatch(why);
  });

  it("a kind that the configuration does not allow", async () => {
    expect(await judge("a.gif", Buffer.from("GIF89a"), ["pdf"])).toMatch(/image\/gif: not among .*\(pdf\)/);
  });
});
