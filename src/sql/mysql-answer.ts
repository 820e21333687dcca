import type { Connection } from "mysql2";
import type { Row } from "./connection.ts";
import type { Collector, RowSink } from "./line-writer.ts";

interface Question {
  readonly sql: string;
  readonly values?: readonly (string | null)[];
  readonly timeout?: number;
}

/** What of the driver's packets and commands is used here. */
interface Packet {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
  isEOF(): boolean;
}

interface Command {
  /** Takes the packet of a row, and answers what takes the next one. */
  row: (packet: Packet) => unknown;
  on(event: "fields", listener: (fields: readonly { readonly name: string }[] | undefined) => void): void;
}

/**
 * Asks, and hands the values of each row on as the bytes that the server sent, past the driver's own reading: it makes numbers of some, which
 * loses digits of a DOUBLE, and an object of each row.
 */
export function ask(
  connection: Connection,
  { sql, values, timeout }: Question,
  sink: RowSink,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const question = {
      sql,
      ...(values === undefined ? {} : { values: [...values] }),
      ...(timeout === undefined ? {} : { timeout }),
    };
    const asked = connection.query(question, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
    const command = asked as unknown as Command;
    command.on("fields", (fields) => sink.begin?.((fields ?? []).map(({ name }) => name)));
    const last = command.row.bind(command);
    const take = (packet: Packet) => {
      if (packet.isEOF()) return last(packet);
      readRow(packet, sink);
      return take;
    };
    command.row = take;
  });
}

/** A row of the text protocol: each value behind its length, 0xfb for none (MySQL's manual, "Text Resultset Row"). */
function readRow({ buffer, offset, end }: Packet, sink: RowSink): void {
  for (let at = offset; at < end;) {
    const first = buffer[at++] ?? 0;
    if (first === 0xfb) {
      sink.nothing();
      continue;
    }
    let length = first;
    if (first === 0xfc) {
      length = buffer.readUInt16LE(at);
      at += 2;
    } else if (first === 0xfd) {
      length = buffer.readUIntLE(at, 3);
      at += 3;
    } else if (first === 0xfe) {
      length = Number(buffer.readBigUInt64LE(at));
      at += 8;
    }
    sink.text(buffer, at, at + length);
    at += length;
  }
  sink.end();
}

const rowsAtOnce = 500;
/** Of a batch; large rows come a few at a time. */
const bytesAtOnce = 4_000_000;

/** Makes rows of what comes. */
export function rowCollector(): Collector<Row[]> {
  let names: readonly string[] = [];
  let rows: Row[] = [];
  /** A column of this name would be what the row inherits from, else. */
  let hasProto = false;
  const emptyRow = (): Record<string, string | null> => {
    const empty = {};
    const value = { value: null, writable: true, enumerable: true, configurable: true };
    return hasProto ? Object.defineProperty(empty, "__proto__", value) : empty;
  };
  let row = emptyRow();
  let column = 0;
  let size = 0;
  const put = (value: string | null) => {
    row[names[column] ?? ""] = value;
    column += 1;
  };
  return {
    begin(columns) {
      names = columns;
      hasProto = columns.includes("__proto__");
      row = emptyRow();
    },
    text(bytes, from, to) {
      size += to - from;
      put(bytes.toString("utf8", from, to));
    },
    nothing: () => put(null),
    end() {
      rows.push(row);
      row = emptyRow();
      column = 0;
    },
    isFull: () => rows.length >= rowsAtOnce || size >= bytesAtOnce,
    isEmpty: () => rows.length === 0,
    take() {
      const taken = rows;
      rows = [];
      size = 0;
      return taken;
    },
  };
}
