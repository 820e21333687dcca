import { lookup } from "mime-types";
import { CliError } from "../errors.ts";
import { documentTypes, type DocumentExtension, type DocumentType } from "../model/document-types.ts";
import { zipEntryNames, type ReadAt } from "./zip-directory.ts";

/** Enough for every signature below, and to see whether a text is one. */
const headBytes = 64 * 1024;

/**
 * The kind of a document, on which its name and its content must agree.
 * @throws CliError that names what each of them says, when they do not, or when the kind is not taken here.
 */
export async function documentType(
  name: string,
  {
    readAt,
    sizeBytes,
    allowed,
  }: { readAt: ReadAt; sizeBytes: number; allowed: readonly DocumentExtension[] },
): Promise<DocumentType> {
  const named = namedType(name, allowed);
  const content = await kindOf(readAt, sizeBytes);
  if (content !== named.ext) {
    throw new CliError(`the content is ${content ?? "of no known kind"}, not ${named.ext} as the name says`, {
      hint: "a document is taken only when its name and its content agree",
    });
  }
  return named;
}

/**
 * The kind of a document by its name alone, for one whose content is still to come.
 * @throws CliError when the name says none, or one that is not taken here.
 */
export function namedType(name: string, allowed: readonly DocumentExtension[]): DocumentType {
  const byName = lookup(name);
  const named = documentTypes.find(({ contentType }) => contentType === byName);
  if (named !== undefined && allowed.includes(named.ext)) return named;
  throw refused(byName === false ? `the name ${JSON.stringify(name)} says no kind of file` : byName, allowed);
}

function refused(what: string, allowed: readonly DocumentExtension[]): CliError {
  return new CliError(`${what}: not among the documents that are taken (${allowed.join(", ")})`, {
    hint: '"allowedTypes" in the configuration says which are',
  });
}

const signatures: readonly (readonly [string, kind: string])[] = [
  ["%PDF-", "pdf"],
  ["\x89PNG\r\n\x1a\n", "png"],
  ["\xff\xd8\xff", "jpg"],
  ["GIF87a", "gif"],
  ["GIF89a", "gif"],
  ["MZ", "a Windows program"],
  ["\x7fELF", "a Linux program"],
  ["\xcf\xfa\xed\xfe", "a macOS program"],
  ["#!", "a script"],
  ["\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (OLE), or an encrypted one"],
  ["Rar!", "a RAR archive"],
  ["7z\xbc\xaf\x27\x1c", "a 7z archive"],
  ["\x1f\x8b", "a gzip archive"],
];

/** What a content is: an extension of `documentTypes`, or words for what is never one; undefined when it is not known. */
async function kindOf(readAt: ReadAt, sizeBytes: number): Promise<string | undefined> {
  const head = await readAt(0, Math.min(headBytes, sizeBytes));
  const start = head.toString("latin1", 0, 16);
  const known = signatures.find(([bytes]) => start.startsWith(bytes));
  if (known !== undefined) return known[1];
  if (start.startsWith("RIFF") && start.slice(8, 12) === "WEBP") return "webp";
  if (start.startsWith("PK\x03\x04")) return zipKind(head, await zipEntryNames(readAt, sizeBytes));
  // Some writers begin a PDF with a byte order mark or an empty line.
  if (/^(?:\xef\xbb\xbf)?[\s\0]{0,8}%PDF-/.test(start)) return "pdf";
  return isText(head, head.byteLength < sizeBytes) ? "txt" : undefined;
}

/** Parts by which Office's formats are told; a document with a macro is one of another kind, whatever its name. */
const officeParts: readonly (readonly [RegExp, kind: string])[] = [
  [/(^|\/)vbaProject\.bin$/i, "an Office document with macros"],
  [/^word\/[^/]+\.xml$/, "docx"],
  [/^xl\/workbook[^/]*\.xml$/, "xlsx"],
  [/^ppt\/presentation[^/]*\.xml$/, "pptx"],
];

/** An ODF archive begins with an entry `mimetype`, stored as it is; Office's has `[Content_Types].xml` and its parts. */
function zipKind(head: Buffer, names: readonly string[] | undefined): string {
  if (names === undefined) return "a damaged or very large ZIP archive";
  const firstName = head.toString("latin1", 30, 30 + head.readUInt16LE(26));
  if (firstName === "mimetype" && names.includes("mimetype") && names.includes("content.xml")) {
    const at = 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
    const said = head.toString("latin1", at, at + head.readUInt32LE(22));
    return documentTypes.find(({ contentType }) => contentType === said)?.ext ?? "another OpenDocument file";
  }
  const office = officeParts.find(([part]) => names.some((name) => part.test(name)));
  if (names.includes("[Content_Types].xml") && office !== undefined) return office[1];
  return "a ZIP archive";
}

/**
 * Text: UTF-16 with its mark, or bytes without control characters (other than blanks) that are UTF-8 or, for texts from
 * older systems, Latin-1. Judged by the head.
 */
function isText(head: Buffer, isCut: boolean): boolean {
  const isUtf16 = /^(\xff\xfe|\xfe\xff)/.test(head.toString("latin1", 0, 2));
  const text = isUtf16 ? utf16(head) : utf8(head, isCut);
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  return !/[\u0000-\u0008\u000b\u000e-\u001a\u001c-\u001f\u007f\ufffe\uffff]/.test(text);
}

function utf16(head: Buffer): string {
  const isBigEndian = head[0] === 0xfe;
  const even = head.subarray(2, head.byteLength - (head.byteLength % 2));
  return new TextDecoder(isBigEndian ? "utf-16be" : "utf-16le").decode(even);
}

function utf8(head: Buffer, isCut: boolean): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: isCut });
  } catch {
    // Not UTF-8. In Latin-1 the bytes 80-9F are control characters, in Windows-1252 they are quotation marks.
    return head.toString("latin1").replaceAll(/[\u0080-\u009f]/g, "");
  }
}
