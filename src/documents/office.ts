import { decodeText } from "../decode-text.ts";
import { documentTypes } from "../model/document-types.ts";
import { zipEntries, zipEntryBytes, type ReadAt, type ZipEntry } from "./zip-directory.ts";

/** Far more than the parts have together that tell what an archive is; a directory can name one part any number of times. */
const maxPartsBytes = 4 * 1024 ** 2;

interface Archive {
  readonly entries: readonly ZipEntry[];
  /** The texts of the entries whose names in lower case match; undefined where one of them cannot be read, or all are too large. */
  readonly texts: (name: RegExp) => Promise<string[] | undefined>;
}

/**
 * What an archive is: the extension of an office document, or words for what is none. A part's name has no case in these
 * formats, and stands anywhere in the archive.
 */
export async function archiveKind(readAt: ReadAt, sizeBytes: number): Promise<string> {
  const entries = await zipEntries(readAt, sizeBytes);
  if (entries === undefined) return unreadable;
  const archive: Archive = {
    entries,
    async texts(name) {
      const texts: string[] = [];
      let roomBytes = maxPartsBytes;
      for (const entry of entries.filter((entry) => name.test(entry.name.toLowerCase()))) {
        const bytes = roomBytes > 0 ? await zipEntryBytes(readAt, entry, roomBytes) : undefined;
        if (bytes === undefined) return undefined;
        // Also what is empty is work, and what is packed need not become more.
        roomBytes -= Math.max(bytes.byteLength, entry.packedBytes) + 1;
        texts.push(decodeText(bytes));
      }
      return texts;
    },
  };
  const has = (name: RegExp) => entries.some((entry) => name.test(entry.name.toLowerCase()));
  if (has(contentTypes)) return officeKind(archive);
  if (has(/^content\.xml$/)) return openDocumentKind(archive);
  return "a ZIP archive";
}

const unreadable = "a damaged or very large ZIP archive";
const contentTypes = /^\[content_types\]\.xml$/;
const macros = "an Office document with macros";

/** Office's formats, by their main part's usual name or by its type. */
const officeKinds = [
  { kind: "docx", part: /^word\/[^/]+\.xml$/, type: /wordprocessingml\.document\.main\+xml/ },
  { kind: "xlsx", part: /^xl\/workbook[^/]*\.xml$/, type: /spreadsheetml\.sheet\.main\+xml/ },
  {
    kind: "pptx",
    part: /^ppt\/presentation[^/]*\.xml$/,
    type: /presentationml\.(?:presentation|slideshow)\.main\+xml/,
  },
];

/** A document with macros is one of another kind, whatever it and its parts are called: it says so in its types and relations. */
async function officeKind({ entries, texts }: Archive): Promise<string> {
  const names = entries.map(({ name }) => name.toLowerCase());
  if (names.some((name) => /(?:^|\/)vba(?:project|data)\b|(?:^|\/)macrosheets\//.test(name))) return macros;
  const types = await texts(contentTypes);
  const relations = await texts(/(?:^|\/)_rels\/[^/]*\.rels$/);
  if (types === undefined || relations === undefined) return unreadable;
  const type = types.map(withoutReferences).join();
  if (/macroenabled|vbaproject|macrosheet/i.test(type)) return macros;
  const macroRelation = /\bType\s*=\s*["'][^"']*(?:vbaProject|MacroSheet)\s*["']/i;
  if (relations.some((text) => macroRelation.test(withoutReferences(text)))) return macros;
  const found =
    officeKinds.find(({ part }) => names.some((name) => part.test(name))) ??
    officeKinds.find((office) => office.type.test(type));
  return found?.kind ?? "a ZIP archive";
}

/** A letter can be written as a character reference in XML. */
function withoutReferences(xml: string): string {
  return xml.replaceAll(
    /&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));/gi,
    (reference, hex?: string, decimal?: string) => {
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code > 0x10ffff ? reference : String.fromCodePoint(code);
    },
  );
}

/** An OpenDocument file says what it is in its entry `mimetype`, or in its manifest. */
async function openDocumentKind({ texts }: Archive): Promise<string> {
  const [said] = (await texts(/^mimetype$/)) ?? [];
  const type = said?.trim() ?? rootType((await texts(/^meta-inf\/manifest\.xml$/))?.join() ?? "");
  if (type === undefined) return "a ZIP archive";
  return documentTypes.find(({ contentType }) => contentType === type)?.ext ?? "another OpenDocument file";
}

/** The type that a manifest gives the whole, whose path is `/`. */
function rootType(manifest: string): string | undefined {
  const entries = manifest.match(/<(?:[\w.-]+:)?file-entry\b[^<>]*>/g) ?? [];
  const root = entries.find((entry) => /\bfull-path\s*=\s*["']\/["']/.test(entry));
  return root === undefined ? undefined : /\bmedia-type\s*=\s*["']([^"']*)["']/.exec(root)?.[1]?.trim();
}
