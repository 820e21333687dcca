import { parse } from "csv-parse/sync";
import { sizeOf, timeOf, UnlikeManifest } from "./inventory-manifest.ts";
import type { Piece } from "./sums.ts";

/** Reads lines of CSV as they come. */
export interface CsvReader {
  /** The lines that are whole by now. */
  read(chunk: Uint8Array): Piece[];
  /** What is left in the end. */
  end(): Piece[];
}

/**
 * Prepares the reading of an inventory's CSV: no header, each field in quotes, keys URL-encoded, so that all of it is ASCII. Lines are cut
 * at their quotes, a million and more of them a second; any that does not look like that is left to csv-parse.
 * @throws (reading) UnlikeManifest where a line has not the fields of the schema.
 */
export function csvReader(fields: readonly string[]): CsvReader {
  const place = (field: string) => fields.indexOf(field);
  const [key, size, latest, marker] = [
    place("Key"),
    place("Size"),
    place("IsLatest"),
    place("IsDeleteMarker"),
  ];
  const [storageClass, modified] = [place("StorageClass"), place("LastModifiedDate")];
  const starts = new Int32Array(fields.length + 1);
  const ends = new Int32Array(fields.length + 1);
  let rest: Buffer = Buffer.alloc(0);

  /** Where the fields stand in a line; false where it is not one of quoted fields, as many as there should be. */
  const cut = (bytes: Uint8Array, from: number, to: number): boolean => {
    const last = to - 1;
    if (bytes[from] !== quote || bytes[last] !== quote) return false;
    let field = 0;
    starts[0] = from + 1;
    for (let at = from + 1; at < last; at += 1) {
      if (bytes[at] !== quote || bytes[at + 1] !== comma || bytes[at + 2] !== quote) continue;
      if (field === fields.length - 1) return false;
      ends[field] = at;
      field += 1;
      at += 2;
      starts[field] = at + 1;
    }
    ends[field] = last;
    return field === fields.length - 1;
  };

  const pieceAt = (text: string): Piece => {
    const is = (at: number) => text.charCodeAt(starts[at] ?? 0) === letterT;
    const span = (at: number): Span => (at === -1 ? [0, 0] : [starts[at] ?? 0, ends[at] ?? 0]);
    const part =
      marker !== -1 && is(marker) ? "markers" : latest === -1 || is(latest) ? "objects" : "noncurrent";
    const bytes = sizeOf(text.slice(...span(size)));
    return new CsvPiece(text, part, bytes, [span(key), span(modified), span(storageClass)]);
  };

  const lineAt = ({ bytes, text }: Chunk, from: number, to: number): Piece => {
    if (cut(bytes, from, to)) return pieceAt(text);
    const line = text.slice(from, to);
    const values = valuesIn(line);
    if (values.length !== fields.length)
      throw new UnlikeManifest("a line has other fields than the manifest says");
    // A quote of a key is encoded; of other fields that have one nothing is asked.
    const quoted = `"${values.map((value) => value.replaceAll('"', "%22")).join('","')}"`;
    cut(Buffer.from(quoted, "latin1"), 0, quoted.length);
    return pieceAt(quoted);
  };

  return {
    read(read) {
      const bytes = rest.byteLength === 0 ? Buffer.from(read) : Buffer.concat([rest, read]);
      const chunk = { bytes, text: bytes.toString("latin1") };
      const pieces: Piece[] = [];
      let from = 0;
      for (let line = bytes.indexOf(newline); line !== -1; line = bytes.indexOf(newline, from)) {
        const to = bytes[line - 1] === carriageReturn ? line - 1 : line;
        if (to > from) pieces.push(lineAt(chunk, from, to));
        from = line + 1;
      }
      rest = bytes.subarray(from);
      if (rest.byteLength > mostLineBytes) throw new UnlikeManifest("a line is longer than lines are");
      return pieces;
    },
    end() {
      const chunk = { bytes: rest, text: rest.toString("latin1") };
      return rest.byteLength === 0 ? [] : [lineAt(chunk, 0, rest.byteLength)];
    },
  };
}

/** A key has 1,024 bytes, each of which may take three; other fields are words. */
const mostLineBytes = 64 * 1024;

function valuesIn(line: string): string[] {
  try {
    const [values = []] = parse(line, { relax_column_count: true, relax_quotes: true });
    return values;
  } catch (cause) {
    throw new UnlikeManifest("a line is no CSV", { cause });
  }
}

/** The same in bytes and in characters: all of it is ASCII. */
interface Chunk {
  readonly bytes: Buffer;
  readonly text: string;
}

const quote = 0x22;
const comma = 0x2c;
const newline = 0x0a;
const letterT = 0x74;
const carriageReturn = 0x0d;

type Span = readonly [from: number, to: number];

/** What stands in its line is cut out and read when somebody asks: a grouping asks for one of the three. */
class CsvPiece implements Piece {
  readonly part: Piece["part"];
  readonly bytes: number;
  readonly #text: string;
  readonly #spans: readonly [key: Span, modified: Span, storageClass: Span];

  constructor(text: string, part: Piece["part"], bytes: number, spans: readonly [Span, Span, Span]) {
    this.#text = text;
    this.part = part;
    this.bytes = bytes;
    this.#spans = spans;
  }

  get key(): string {
    const key = this.#text.slice(...this.#spans[0]);
    return decodedKey(key.includes("+") ? key.replaceAll("+", " ") : key);
  }

  get at(): Date | undefined {
    return timeOf(this.#text.slice(...this.#spans[1]));
  }

  get storageClass(): string | undefined {
    return this.part === "markers" ? undefined : this.#text.slice(...this.#spans[2]) || undefined;
  }
}

/** The same as decodeURIComponent, in a third of its time where what is encoded is ASCII. */
function decodedKey(encoded: string): string {
  let key = "";
  let from = 0;
  for (let at = encoded.indexOf("%"); at !== -1; at = encoded.indexOf("%", from)) {
    const [high, low] = [hexDigit(encoded.charCodeAt(at + 1)), hexDigit(encoded.charCodeAt(at + 2))];
    if (high === -1 || high > 7 || low === -1) return decodeURIComponent(encoded);
    key += encoded.slice(from, at) + String.fromCharCode(high * 16 + low);
    from = at + 3;
  }
  return from === 0 ? encoded : key + encoded.slice(from);
}

/** -1 for what is none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
