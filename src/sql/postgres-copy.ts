import type { Client, Connection } from "pg";
import type { Tuple } from "./connection.ts";
import type { RowSink } from "./line-writer.ts";

/** What the driver asks of a query that is given to it whole. */
interface CopyQuery {
  readonly query_timeout: number;
  callback: (error?: Error | null) => void;
  submit(connection: Connection): void;
  handleCopyInResponse(): void;
  handleCopyData(message: { readonly chunk: Buffer }): void;
  handleCommandComplete(): void;
  handleReadyForQuery(): void;
  handleError(error: Error): void;
}

/** What of the driver's connection is used here, and not declared. */
interface Wire {
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

function copy(
  client: Client,
  { query_timeout, ...handlers }: Pick<CopyQuery, "query_timeout" | "submit" | "handleCopyData">,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked: CopyQuery = {
      query_timeout,
      callback: (error) => (error instanceof Error ? reject(error) : resolve()),
      handleCopyInResponse: () => undefined,
      handleCommandComplete: () => undefined,
      handleReadyForQuery: () => asked.callback(),
      handleError: (error) => asked.callback(error),
      ...handlers,
    };
    client.query(asked);
  });
}

/** The longest timer of Node, 24 days. */
export const longestTimerMs = 2 ** 31 - 1;

/** Has the server copy the rows of a query out, which costs both ends the least, and hands their values on. */
export function copyOut(client: Client, query: string, sink: RowSink): Promise<void> {
  return copy(client, {
    // A limit for all of it would end a large answer: whoever takes the rows has one for a few of them.
    query_timeout: longestTimerMs,
    submit: (connection) => (connection as unknown as Wire).query(`COPY (${query}) TO STDOUT`),
    // Always one row each (PostgreSQL's manual, "COPY Operations").
    handleCopyData: ({ chunk }) => readRow(chunk, sink),
  });
}

/** Has the server copy rows in, all or none of them; `into` names the table and its columns. */
export function copyIn(
  client: Client,
  into: string,
  { tuples, timeoutMs }: { readonly tuples: readonly Tuple[]; readonly timeoutMs: number },
): Promise<void> {
  return copy(client, {
    query_timeout: timeoutMs,
    // Sent at once, since a server ignores rows for which it finds no place, and PGlite waits for none ("Message Flow", "COPY Operations").
    submit(connection) {
      const wire = connection as unknown as Wire;
      connection.stream.cork();
      wire.query(`COPY ${into} FROM STDIN`);
      wire.sendCopyFromChunk(Buffer.from(tuples.map(lineOf).join("")));
      wire.endCopyFrom();
      connection.stream.uncork();
    },
    handleCopyData: () => undefined,
  });
}

function lineOf(tuple: Tuple): string {
  return `${tuple.map((value) => (value === null ? "\\N" : escaped(String(value)))).join("\t")}\n`;
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escaped(value: string): string {
  return /[\\\n\r\t]/.test(value) ? value.replaceAll(/[\\\n\r\t]/g, (sign) => escapes[sign] ?? sign) : value;
}

const [tab, newline, backslash, capitalN] = [0x09, 0x0a, 0x5c, 0x4e];
const plain: ReadonlyMap<number, number> = new Map(
  ["b", "f", "n", "r", "t", "v"].map((letter, at) => [letter.charCodeAt(0), [8, 12, 10, 13, 9, 11][at] ?? 0]),
);

/** Values with a tab between them; `\\N` is none, and behind a backslash stands what has a meaning of its own. */
function readRow(bytes: Buffer, sink: RowSink): void {
  let begin = 0;
  let isEscaped = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === backslash) {
      isEscaped = true;
      at += 1;
    } else if (byte === tab || byte === newline) {
      if (!isEscaped) sink.text(bytes, begin, at);
      else if (at - begin === 2 && bytes[begin + 1] === capitalN) sink.nothing();
      else {
        const value = unescaped(bytes.subarray(begin, at));
        sink.text(value, 0, value.length);
      }
      begin = at + 1;
      isEscaped = false;
    }
  }
  sink.end();
}

function unescaped(bytes: Buffer): Buffer {
  const value = Buffer.allocUnsafe(bytes.length);
  let size = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    let byte = bytes[at] ?? 0;
    if (byte === backslash) {
      at += 1;
      byte = plain.get(bytes[at] ?? 0) ?? bytes[at] ?? 0;
    }
    value[size++] = byte;
  }
  return value.subarray(0, size);
}
