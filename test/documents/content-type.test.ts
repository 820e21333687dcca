import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { documentType } from "../../src/documents/content-type.ts";
import { archiveKind } from "../../src/documents/office.ts";
import { CliError } from "../../src/errors.ts";
import { documentTypes } from "../../src/model/document-types.ts";
import { zip } from "../fixtures/zip-archive.ts";

const every = documentTypes.map(({ ext }) => ext);

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

const pdf = Buffer.from("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n%%EOF\n", "latin1");
const mainType = (type: string) =>
  ["[Content_Types].xml", `<Types><Override PartName="/x" ContentType="${type}"/></Types>`] as const;
const relation = (type: string) =>
  `<Relationships><Relationship Id="r1" Type="${type}" Target="x.bin"/></Relationships>`;
const manifest =
  '<m:manifest><m:file-entry m:media-type="application/vnd.oasis.opendocument.text" m:full-path="/"/>';
const behind = (start: string, content: Buffer) => Buffer.concat([Buffer.from(start, "latin1"), content]);

describe("documentType takes", () => {
  it.each([
    ["a PDF", "a.pdf", Buffer.from("%PDF-1.7\n%âãÏÓ"), "pdf"],
    ["a PDF behind a byte order mark", "a.pdf", Buffer.from("\ufeff\n%PDF-1.4"), "pdf"],
    ["a PDF behind a printer's commands", "a.pdf", behind("\x1b%-12345X@PJL JOB\r\n", pdf), "pdf"],
    ["a PDF behind the head of a message", "a.pdf", behind("HTTP/1.1 200 OK\r\n\r\n", pdf), "pdf"],
    ["a PDF behind binary junk", "a.pdf", behind("\n\xf2\xc0\x00\x01\n", pdf), "pdf"],
    ["a PDF whose header ends the first 1,024 bytes", "a.pdf", behind(" ".repeat(1024 - 8), pdf), "pdf"],
    ["a PDF whose %PDF- ends the first 1,024 bytes", "a.pdf", behind(" ".repeat(1024 - 5), pdf), "pdf"],
    ["a PDF with the header of PostScript", "a.pdf", Buffer.from("%!PS-Adobe-3.0 PDF-1.4\n1 0 obj"), "pdf"],
    ["an extension in capitals", "A.PDF", Buffer.from("%PDF-1.7"), "pdf"],
    ["a PNG", "a.png", Buffer.from("\x89PNG\r\n\x1a\n....", "latin1"), "png"],
    ["a JPEG under each of its extensions", "a.jpeg", Buffer.from("\xff\xd8\xff\xe0", "latin1"), "jpg"],
    ["a JPEG under Windows' name", "a.jfif", Buffer.from("\xff\xd8\xff\xe0", "latin1"), "jpg"],
    ["a JPEG under the browsers' name", "a.PJPEG", Buffer.from("\xff\xd8\xff\xdb", "latin1"), "jpg"],
    ["a Word document", "a.docx", docx, "docx"],
    [
      "one with a comment on its archive",
      "a.docx",
      zip([types, ["word/document.xml", ""]], { comment: "PK\x05\x06" }),
      "docx",
    ],
    ["one with a line break behind it", "a.docx", Buffer.concat([docx, Buffer.from("\r\n")]), "docx"],
    ["one that is padded", "a.docx", Buffer.concat([docx, Buffer.alloc(60_000)]), "docx"],
    ["one with an empty line in front", "a.docx", behind("\r\n", docx), "docx"],
    [
      "one whose positions count the bytes in front",
      "a.docx",
      zip([types, ["word/document.xml", ""]], { before: "\n\n" }),
      "docx",
    ],
    [
      "one with an archive stored in it, at its end",
      "a.docx",
      zip([
        types,
        ["word/document.xml", ""],
        ["word/embeddings/a.xlsx", zip([types, ["xl/workbook.xml", ""]])],
      ]),
      "docx",
    ],
    ["one with backslashes", "a.docx", zip([types, ["word\\document.xml", ""]]), "docx"],
    [
      "one with names in another case",
      "a.docx",
      zip([
        ["[content_types].XML", "<Types/>"],
        ["Word/Document.XML", ""],
      ]),
      "docx",
    ],
    [
      "one whose entries are deflated and streamed",
      "a.docx",
      zip([types, ["word/document.xml", ""]], { isStreamed: true }),
      "docx",
    ],
    ["one in ZIP64", "a.docx", zip([types, ["word/document.xml", ""]], { isLarge: true }), "docx"],
    [
      "one with a main part of another name",
      "a.docx",
      zip([
        mainType("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"),
        ["a/b.xml", ""],
      ]),
      "docx",
    ],
    ["an Excel sheet", "a.xlsx", zip([types, ["xl/workbook.xml", ""]]), "xlsx"],
    ["a presentation", "a.pptx", zip([types, ["ppt/presentation.xml", ""]]), "pptx"],
    [
      "one with a link to a page about macros",
      "a.docx",
      zip([
        types,
        ["word/document.xml", ""],
        ["word/_rels/document.xml.rels", relation('x" Target="https://example.com/vbaProject')],
      ]),
      "docx",
    ],
    ["an OpenDocument text", "a.odt", odt, "odt"],
    [
      "one whose type stands last",
      "a.odt",
      zip([
        ["content.xml", ""],
        ["mimetype", "application/vnd.oasis.opendocument.text"],
      ]),
      "odt",
    ],
    [
      "one whose type is deflated and streamed",
      "a.odt",
      zip(
        [
          ["mimetype", "application/vnd.oasis.opendocument.text"],
          ["content.xml", ""],
        ],
        { isStreamed: true },
      ),
      "odt",
    ],
    [
      "one whose type ends with a line break",
      "a.odt",
      zip([
        ["mimetype", "application/vnd.oasis.opendocument.text\n"],
        ["content.xml", ""],
      ]),
      "odt",
    ],
    [
      "one whose manifest alone says its type",
      "a.odt",
      zip([
        ["content.xml", ""],
        ["META-INF/manifest.xml", manifest],
      ]),
      "odt",
    ],
    ["text in UTF-8", "a.txt", Buffer.from("Größe: 5 €\n"), "txt"],
    ["text in Windows-1252", "a.txt", Buffer.from("Gr\xf6\xdfe \x96 5 \x80\r\n", "latin1"), "txt"],
    ["text in UTF-16 with its mark", "a.txt", Buffer.from("\ufeffGröße\r\n", "utf16le"), "txt"],
    ["text in UTF-16 without a mark", "a.txt", Buffer.from("Größe\r\n", "utf16le"), "txt"],
    [
      "text in UTF-16 from large to small",
      "a.txt",
      Buffer.from("\ufeffGröße\r\n", "utf16le").swap16(),
      "txt",
    ],
    ["text of a Windows program's letters", "a.txt", Buffer.from("MZ Consulting GmbH\r\n"), "txt"],
    ["text of a RAR archive's letters", "a.txt", Buffer.from("Rar! sagte der Hund.\n"), "txt"],
    ["text of a script's letters", "a.txt", Buffer.from("#!/bin/sh ist eine Zeile.\n"), "txt"],
    ["text of a PDF's letters", "a.txt", Buffer.from("%PDF- ist der Anfang jeder PDF-Datei\n"), "txt"],
    ["text about the header of a PDF", "a.txt", Buffer.from("Die Datei beginnt mit %PDF-1.7.\n"), "txt"],
    ["text of a GIF's letters", "a.txt", Buffer.from("GIF89a ist ein Format.\n"), "txt"],
    ["text that DOS ended", "a.txt", Buffer.from("Alter DOS-Text\r\n\x1a"), "txt"],
    ["text that CP/M ended and padded", "a.txt", Buffer.from("Text\r\n\x1a\x1a\x1a\0\0"), "txt"],
    [
      "text with the backspaces of a typewriter",
      "a.txt",
      Buffer.from("N\bNA\bAM\bME\bE\x07\x0b\x0c\n"),
      "txt",
    ],
  ])("%s", async (_what, name, content, ext) => {
    expect(await judge(name, content)).toBe(ext);
  });

  it("long text that is cut within a character where its head ends", async () => {
    expect(await judge("a.txt", Buffer.from(`x${"ö".repeat(60_000)}`))).toBe("txt");
  });
});

describe("documentType refuses", () => {
  it.each([
    [
      "a program named as a PDF",
      "a.pdf",
      Buffer.from("MZ\x90\0\x03\0\0\0", "latin1"),
      /Windows program, not pdf/,
    ],
    ["a program with a PDF behind it", "a.pdf", behind("MZ\x90\0\x03\0", pdf), /Windows program, not pdf/],
    ["a PDF in an archive", "a.pdf", zip([["a.pdf", pdf]]), /ZIP archive, not pdf/],
    ["a PDF whose header comes too late", "a.pdf", behind("\0".repeat(1024 - 4), pdf), /no known kind/],
    ["a PDF named as a picture", "a.png", Buffer.from("%PDF-1.7"), /content is pdf, not png/],
    ["a PDF named as a text", "a.txt", pdf, /content is pdf, not txt/],
    [
      "a text named as a PDF",
      "a.pdf",
      Buffer.from("%PDF- ist der Anfang jeder PDF-Datei\n"),
      /content is txt/,
    ],
    ["a program named as text", "a.txt", Buffer.from("\x7fELF\x02\x01"), /Linux program/],
    ["binary data named as text", "a.txt", Buffer.from("abc\0def"), /no known kind/],
    ["binary data that begins as UTF-16 would", "a.txt", Buffer.from("610000d86200", "hex"), /no known kind/],
    ["a text with Ctrl-Z in the middle", "a.txt", Buffer.from("abc\x1adef"), /no known kind/],
    ["a RAR archive named as text", "a.txt", Buffer.from("Rar!\x1a\x07\x01\0"), /RAR/],
    ["a program under its own name", "a.exe", Buffer.from("MZ"), /not among/],
    ["a name without an extension", "Lebenslauf", Buffer.from("%PDF-1.7"), /says no kind of file/],
    ["an archive named as a document", "a.docx", zip([["a.exe", "MZ"]]), /ZIP archive, not docx/],
    ["an empty archive", "a.docx", Buffer.from(`PK\x05\x06${"\0".repeat(18)}`), /docx as the name says/],
    [
      "the first bytes of an archive",
      "a.docx",
      Buffer.from(`PK\x03\x04${"\xff".repeat(22)}`, "latin1"),
      /damaged/,
    ],
    ["a sheet named as a text", "a.docx", zip([types, ["xl/workbook.xml", ""]]), /xlsx, not docx/],
    [
      "a document with macros",
      "a.docx",
      zip([types, ["word/document.xml", ""], ["word/vbaProject.bin", ""]]),
      /macros/,
    ],
    [
      "macros under another name, by their type",
      "a.docx",
      zip([mainType("application/vnd.ms-office.vbaProject"), ["word/document.xml", ""]]),
      /macros/,
    ],
    [
      "macros under another name, by their relation",
      "a.docx",
      zip([
        types,
        ["word/document.xml", ""],
        [
          "word\\_rels\\document.xml.rels",
          relation("http://schemas.microsoft.com/office/2006/relationships/vbaProject"),
        ],
      ]),
      /macros/,
    ],
    [
      "the same where the part lies deeper",
      "a.docx",
      zip([
        types,
        ["word/document.xml", ""],
        [
          "word/a/b/_rels/document.xml.rels",
          relation("http://schemas.microsoft.com/office/2006/relationships/vbaProject"),
        ],
      ]),
      /macros/,
    ],
    [
      "a manifest of entries that never end",
      "a.odt",
      zip([
        ["content.xml", ""],
        ["META-INF/manifest.xml", "<file-entry ".repeat(340_000)],
      ]),
      /ZIP archive, not odt/,
    ],
    [
      "a document of a type that has macros",
      "a.docx",
      zip([mainType("application/vnd.ms-word.document.macroEnabled.main+xml"), ["word/document.xml", ""]]),
      /macros/,
    ],
    [
      "the same in character references",
      "a.docx",
      zip([
        mainType("application/vnd.ms-word.document.&#109;acro&#x45;nabled.main+xml"),
        ["word/document.xml", ""],
      ]),
      /macros/,
    ],
    [
      "the same in UTF-16, deflated",
      "a.docx",
      zip(
        [
          ["[Content_Types].xml", Buffer.from("\ufeff<x macroEnabled/>", "utf16le")],
          ["word/document.xml", ""],
        ],
        { isStreamed: true },
      ),
      /macros/,
    ],
    [
      "a sheet with macros of Excel 4",
      "a.xlsx",
      zip([types, ["xl/workbook.xml", ""], ["xl/macrosheets/sheet1.xml", ""]]),
      /macros/,
    ],
    [
      "a document whose types cannot be read",
      "a.docx",
      zip(
        [
          ["[Content_Types].xml", Buffer.alloc(5_000_000)],
          ["word/document.xml", ""],
        ],
        { isStreamed: true },
      ),
      /damaged or very large/,
    ],
    ["an archive that is cut off", "a.docx", docx.subarray(0, -5), /damaged/],
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

const whole: readonly Buffer[] = [
  pdf,
  docx,
  odt,
  zip([types, ["word/document.xml", ""]], { isLarge: true }),
  zip([types, ["word/document.xml", ""]], { isStreamed: true }),
];
const anyName = fc.constantFrom(...every.map((ext) => `a.${ext}`));
const signature = fc.constantFrom(
  "",
  "PK\x03\x04",
  "PK\x05\x06",
  "%PDF-1",
  "MZ",
  "RIFF",
  "\xff\xd8\xff",
  "\xff\xfe",
);

it("short and random contents of any name are judged, never a crash", async () => {
  await fc.assert(
    fc.asyncProperty(anyName, signature, fc.uint8Array({ maxLength: 100 }), async (name, start, rest) => {
      expect(await judge(name, behind(start, Buffer.from(rest)))).toMatch(/^\w/);
    }),
    { numRuns: 2000 },
  );
});

it("damaged documents are judged, never a crash", async () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      anyName,
      fc.constantFrom(...whole),
      edits,
      fc.nat(),
      async (name, content, edits, cut) => {
        const broken = Buffer.from(content.subarray(0, content.byteLength - (cut % content.byteLength)));
        for (const [at, value] of edits) broken[at % broken.byteLength] = value;
        expect(await judge(name, broken)).toMatch(/^\w/);
      },
    ),
    { numRuns: 2000 },
  );
});

it("a small document is read with one request, a large one with few", async () => {
  const requests = async (content: Buffer) => {
    const asked: number[] = [];
    const readAt = async (at: number, length: number) => {
      asked.push(at);
      return content.subarray(at, at + length);
    };
    await documentType("a.docx", { readAt, sizeBytes: content.byteLength, allowed: every });
    return asked.length;
  };
  expect(await requests(docx)).toBe(1);
  const media = ["word/media/a.png", Buffer.alloc(500_000)] as const;
  expect(await requests(zip([types, ["word/document.xml", "<w/>"], media]))).toBe(2);
});

it("parts that are too large together are not read on", async () => {
  const part = ["[Content_Types].xml", Buffer.alloc(100_000)] as const;
  const content = zip([...Array.from({ length: 200 }, () => part), ["word/document.xml", "<w/>"]], {
    isStreamed: true,
  });
  let opened = 0;
  const readAt = async (at: number, length: number) => {
    const bytes = content.subarray(at, at + length);
    if (length === 30 && bytes.toString("latin1", 0, 4) === "PK\x03\x04") opened += 1;
    return bytes;
  };
  expect(await archiveKind(readAt, content.byteLength)).toBe("a damaged or very large ZIP archive");
  // 4 MiB have room for so many, and the next one shows that there is no more.
  expect(opened).toBe(42);
});
