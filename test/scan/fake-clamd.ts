import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";

/** What a server that passes for clamd does on a connection; a step without an entry does nothing. */
export interface Behaviour {
  /** Before it reads anything. */
  readonly connected?: (connection: Socket) => void;
  /** After the command INSTREAM. */
  readonly command?: (connection: Socket) => void;
  /** After the first bytes of the content. */
  readonly content?: (connection: Socket) => void;
  /** After the frame that ends the content. */
  readonly complete?: (connection: Socket) => void;
  /** Instead of the answer to VERSION. */
  readonly version?: (connection: Socket) => void;
  /** Instead of the answer to PING. */
  readonly ping?: (connection: Socket) => void;
}

export interface FakeClamd extends AsyncDisposable {
  readonly clamd: { readonly host: string; readonly port: number };
  /** The contents that arrived whole, in order. */
  readonly contents: Buffer[];
}

export const fakeVersion = "ClamAV 1.4.6/27461/Fri Nov 20 09:31:00 2026";

/** A server on loopback that speaks as much of clamd's protocol as the behaviour leaves it. */
export async function startFakeClamd(behaviour: Behaviour): Promise<FakeClamd> {
  const contents: Buffer[] = [];
  const connections = new Set<Socket>();
  const server = createServer((connection) => {
    connections.add(connection);
    // The client breaks off whenever it knows enough.
    connection.on("error", () => {});
    connection.on("close", () => connections.delete(connection));
    behaviour.connected?.(connection);
    readCommand(connection);
  });

  function readCommand(connection: Socket): void {
    let pending = Buffer.alloc(0);
    let frames: Buffer[] | undefined;
    connection.on("data", (bytes) => {
      pending = Buffer.concat([pending, bytes]);
      if (frames === undefined) {
        const end = pending.indexOf(0);
        if (end < 0) return;
        const command = pending.toString("latin1", 0, end);
        pending = pending.subarray(end + 1);
        if (command === "zVERSION") (behaviour.version ?? says(`${fakeVersion}\0`))(connection);
        if (command === "zPING") (behaviour.ping ?? says("PONG\0"))(connection);
        if (command !== "zINSTREAM") return;
        frames = [];
        behaviour.command?.(connection);
      }
      while (pending.length >= 4) {
        const length = pending.readUInt32BE();
        if (length === 0) {
          contents.push(Buffer.concat(frames));
          pending = Buffer.alloc(0);
          behaviour.complete?.(connection);
        } else {
          if (pending.length < 4 + length) return;
          frames.push(pending.subarray(4, 4 + length));
          pending = pending.subarray(4 + length);
          if (frames.length === 1) behaviour.content?.(connection);
        }
      }
    });
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    clamd: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    contents,
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Answers in one piece and closes in order, as clamd does. */
export function says(text: string): (connection: Socket) => void {
  return (connection) => connection.end(text, "latin1");
}

/** Answers and leaves the connection open. */
export function keepsOpenAfter(text: string): (connection: Socket) => void {
  return (connection) => connection.write(text, "latin1");
}

/** Answers in pieces that arrive one by one, and closes in order. */
export function saysInPieces(pieces: readonly string[]): (connection: Socket) => void {
  return (connection) => {
    connection.setNoDelay(true);
    const [first, ...rest] = pieces;
    if (first === undefined) connection.end();
    else connection.write(first, "latin1", () => setImmediate(() => saysInPieces(rest)(connection)));
  };
}

/** Closes in order, or answers first, then resets the connection once the answer has been sent. */
export function resetsAfter(text: string): (connection: Socket) => void {
  return (connection) => {
    if (text === "") connection.resetAndDestroy();
    else connection.write(text, "latin1", () => connection.resetAndDestroy());
  };
}
