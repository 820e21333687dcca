import { createHash } from "node:crypto";
import { timeOf } from "../model/json.ts";
import type { StoredEntry } from "./entry.ts";

/** Most file systems take 255 bytes; a part file needs 18 more, a mark of a second document of the name some 40. */
const longestBytes = 180;

/** Windows takes these for devices, with any extension. */
const devices = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;

/**
 * A document's name as a file's, in whatever folder and on whatever system: one part of a path, visible, of characters
 * that every file system takes, and never a device. Most names stay as they are.
 */
export function safeFileName(name: string): string {
  const plain = name
    .normalize("NFC")
    .replaceAll(/[\p{Cc}\p{Surrogate}\u2028\u2029\u202A-\u202E\u2066-\u2069/\\:*?"<>|]/gu, "_")
    .replace(/^[\s.]+/, (start) => "_".repeat(start.trim().length))
    .replace(/[\s.]+$/, "");
  const named = /^_*$/.test(plain) ? "document" : plain;
  const safe = shortened(devices.test(named) ? `_${named}` : named);
  // The end that part files have, which are removed when they are of no use any more.
  return /\.[0-9a-f]{12}\.part$/i.test(safe) ? shortened(`${safe}_`) : safe;
}

/** Cut in front of the extension, between characters. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= longestBytes) return name;
  const [stem, ext] = split(name);
  let length = longestBytes - Buffer.byteLength(ext);
  let cut = "";
  for (const character of stem) {
    length -= Buffer.byteLength(character);
    if (length < 0) break;
    cut += character;
  }
  // No system takes a blank at the end, and Windows no dot.
  return ext === "" ? cut.replace(/[\s.]+$/, "") : `${cut.trimEnd()}${ext}`;
}

/** Stem and extension with its dot; what is too long for an extension is none. */
function split(name: string): [stem: string, ext: string] {
  const dot = name.lastIndexOf(".");
  return dot < 1 || name.length - dot > 11 ? [name, ""] : [name.slice(0, dot), name.slice(dot)];
}

/**
 * A file's name for each of a user's documents, no two the same, also where case or the form of umlauts does not
 * count. The oldest of a name has it as it is, the others with their id behind it: a document has the same name each
 * time, whichever ones are asked for, and whatever is uploaded later.
 */
export function fileNames(entries: readonly StoredEntry[]): ReadonlyMap<StoredEntry, string> {
  const names = new Map<StoredEntry, string>();
  const taken = new Set<string>();
  const wanted = entries.map((entry) => ({ entry, name: safeFileName(entry.document.name) }));
  for (const { entry, name } of wanted.toSorted(oldestFirst)) {
    const [stem, ext] = split(name);
    const marks = ["", ` (${idMark(entry)})`];
    for (let copy = 2; ; copy++) {
      const free = marks.map((mark) => `${stem}${mark}${ext}`).find((each) => !taken.has(folded(each)));
      if (free !== undefined) {
        names.set(entry, free);
        taken.add(folded(free));
        break;
      }
      marks.push(` (${idMark(entry)} ${copy})`);
    }
  }
  return names;
}

interface Wanted {
  readonly entry: StoredEntry;
  readonly name: string;
}

function oldestFirst({ entry: one }: Wanted, { entry: other }: Wanted): number {
  const difference = (timeOf(one.document.uploadedAt) ?? 0) - (timeOf(other.document.uploadedAt) ?? 0);
  return difference === 0 ? compare(one.document.id, other.document.id) : difference;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function idMark({ document: { id } }: StoredEntry): string {
  return /^[\w-]{1,40}$/.test(id) ? id : createHash("sha256").update(id).digest("hex").slice(0, 12);
}

function folded(name: string): string {
  return name.normalize("NFC").toLowerCase();
}
