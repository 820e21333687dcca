import { lookup } from "mime-types";
import { CliError } from "../errors.ts";
import { documentTypes, type DocumentExtension, type DocumentType } from "../model/document-types.ts";
import { textEncoding } from "../decode-text.ts";
import { archiveKind } from "./office.ts";
import { type ReadAt } from "./zip-directory.ts";

/** Enough for every signature below, and to see whether a text is one. */
const headBytes = 64 * 1024;
/** Where readers look for `%PDF-` (ISO 32000-1, annex H.3, note 13); the digit that makes it more than a word may be behind that. */
const pdfHeaderBytes = 1024 + 1;

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
  const kinds = await kindsOf(named.ext, remembering(readAt, sizeBytes), sizeBytes);
  if (!kinds.includes(named.ext)) {
    const content = kinds[0] ?? "of no known kind";
    throw new CliError(`the content is ${content}, not ${named.ext} as the name says`, {
      hint: "a document is taken only when its name and its content agree",
    });
  }
  return named;
}

/** Reads the file's two ends once: most of what is asked for lies there, and each reading may be a request. */
function remembering(readAt: ReadAt, sizeBytes: number): ReadAt {
  const pieces: { readonly at: number; readonly bytes: Buffer }[] = [];
  return async (position, length) => {
    const end = Math.min(position + length, sizeBytes);
    if (!Number.isSafeInteger(position) || position < 0 || end <= position) return Buffer.alloc(0);
    const known = pieces.find(({ at, bytes }) => at <= position && end <= at + bytes.byteLength);
    if (known !== undefined) return known.bytes.subarray(position - known.at, end - known.at);
    const bytes = await readAt(position, end - position);
    if (pieces.length < 2) pieces.push({ at: position, bytes });
    return bytes;
  };
}

/**
 * The kind of a document by its name alone, for one whose content is still to come.
 * @throws CliError when the name says none, or one that is not taken here.
 */
export function namedType(name: string, allowed: readonly DocumentExtension[]): DocumentType {
  const byName = /\.(?:jfif|jif|jfi|pjpeg|pjp)$/i.test(name) ? "image/jpeg" : lookup(name);
  const named = documentTypes.find(({ contentType }) => contentType === byName);
  if (named !== undefined && allowed.includes(named.ext)) return named;
  throw refused(byName === false ? `the name ${JSON.stringify(name)} says no kind of file` : byName, allowed);
}

function refused(what: string, allowed: readonly DocumentExtension[]): CliError {
  return new CliError(`${what}: not among the documents that are taken (${allowed.join(", ")})`, {
    hint: '"allowedTypes" in the configuration says which are',
  });
}

/**
 * First bytes by which programs know their files. None of them is text, apart from those of a PDF, a GIF and a Windows
 * program.
 */
const signatures: readonly (readonly [string, kind: string])[] = [
  ["\x89PNG\r\n\x1a\n", "png"],
  ["\xff\xd8\xff", "jpg"],
  ["GIF87a", "gif"],
  ["GIF89a", "gif"],
  ["MZ", "a Windows program"],
  ["\x7fELF", "a Linux program"],
  ["\xcf\xfa\xed\xfe", "a macOS program"],
  ["\xca\xfe\xba\xbe", "a macOS program or Java's code"],
  ["\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (OLE), or an encrypted one"],
  ["Rar!\x1a\x07", "a RAR archive"],
  ["7z\xbc\xaf\x27\x1c", "a 7z archive"],
  ["\x1f\x8b", "a gzip archive"],
];
const archives: readonly DocumentExtension[] = ["docx", "xlsx", "pptx", "odt", "ods", "odp"];

/**
 * What a content can be: extensions of `documentTypes`, or words for what is never one; none when it is not known. A text
 * about PDFs can be two things; then its name decides.
 */
async function kindsOf(named: DocumentExtension, readAt: ReadAt, sizeBytes: number): Promise<string[]> {
  const head = await readAt(0, Math.min(headBytes, sizeBytes));
  const start = head.toString("latin1", 0, pdfHeaderBytes);
  const text = isText(head, head.byteLength < sizeBytes) ? ["txt"] : [];
  const known = signatures.find(([bytes]) => start.startsWith(bytes));
  // Words can begin with the letters of a signature.
  if (known !== undefined && known[1] !== "a Windows program") return [known[1], ...text];
  if (known !== undefined && text.length === 0) return [known[1]];
  if (start.startsWith("RIFF") && start.slice(8, 12) === "WEBP") return ["webp"];
  if (start.startsWith("PK\x03\x04") || archives.includes(named)) {
    const kind = await archiveKind(readAt, sizeBytes);
    if (start.startsWith("PK\x03\x04") || archives.some((ext) => ext === kind)) return [kind];
  }
  // What stands in front comes from printers, mail programs and servers.
  if (/%PDF-\d|%!PS-Adobe-\d\.\d PDF-\d/.test(start)) {
    const hasObjects = /\b\d+\s+\d+\s+obj\b/.test(head.toString("latin1"));
    return hasObjects ? ["pdf"] : ["pdf", ...text];
  }
  return text;
}

/**
 * Text: UTF-16, or bytes without control characters (other than those of typewriters and terminals, and the mark of a
 * text's end in DOS) that are UTF-8 or, for texts from older systems, Latin-1. Judged by the head.
 */
function isText(head: Buffer, isCut: boolean): boolean {
  const encoding = textEncoding(head);
  const text = encoding === "utf-8" ? utf8(head, isCut) : utf16(head, { encoding, isCut });
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  return !/[\u0000-\u0006\u000e-\u001a\u001c-\u001f\u007f\ufffe\uffff]/.test(isCut ? text : withoutEnd(text));
}

function withoutEnd(text: string): string {
  // oxlint-disable-next-line no-control-regex -- Ctrl-Z is one
  return text.replace(/\u001a[\u001a\0]*$/, "");
}

/** Without a mark it must be UTF-16 to the last byte. */
function utf16(
  head: Buffer,
  { encoding, isCut }: { readonly encoding: string; readonly isCut: boolean },
): string {
  const hasMark = head[0] !== 0 && head[1] !== 0;
  try {
    return new TextDecoder(encoding, { fatal: !hasMark }).decode(head, { stream: isCut || hasMark });
  } catch {
    return "\0";
  }
}

function utf8(head: Buffer, isCut: boolean): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: isCut });
  } catch {
    // Not UTF-8. In Latin-1 the bytes 80-9F are control characters, in Windows-1252 they are quotation marks.
    return head.toString("latin1").replaceAll(/[\u0080-\u009f]/g, "");
  }
}
