import { Socket } from "node:net";
import type { Failure, Reply } from "./verdict.ts";

/** Where clamd listens: `TCPSocket` and `TCPAddr`, or `LocalSocket`, in its clamd.conf. */
export type Clamd = { readonly host: string; readonly port: number } | { readonly socket: string };

export interface ConversationOptions {
  /** How long clamd may take over one step: to accept, to take what was sent, to answer. Milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** One connection to clamd, which takes one command and ends it with its answer. Nothing here rejects. */
export interface Conversation {
  /** Sends in the order of the calls; resolves when the bytes left this process or the conversation is over. */
  send(bytes: Uint8Array): Promise<void>;
  /** Sends the last bytes and resolves with all that clamd answered; `hangUp` says that nothing more is to come. */
  finish(bytes: Uint8Array, how?: { readonly hangUp: boolean }): Promise<Reply>;
  /** Whether it ended; what is sent then goes nowhere. */
  isOver(): boolean;
  /** Breaks the connection off. */
  close(): void;
}

/** A host that accepts no connection is not worth the time that a scan may take. */
const connectTimeoutMs = 10_000;

const tooEarly: Failure = { reason: "unknown-answer", detail: "clamd answered before it had everything" };

/** The longest answer of clamd is a path and a signature's name; a stream without end must not fill the memory. */
const maxReplyBytes = 4096;

export function converse(clamd: Clamd, { timeoutMs, signal }: ConversationOptions): Conversation {
  const socket = new Socket();
  const received: Buffer[] = [];
  let receivedBytes = 0;
  let connected = false;
  let unsent = 0;
  /** Everything was sent: only from now on is an answer an answer to it. */
  let finished = false;
  let answeredEarly = false;
  let timer: NodeJS.Timeout | undefined;
  let settle: (reply: Reply) => void = () => {};
  let over = false;
  const reply = new Promise<Reply>((resolve) => {
    settle = resolve;
  });

  function conclude(failure: Failure | undefined): void {
    if (over) return;
    over = true;
    clearTimeout(timer);
    signal?.removeEventListener("abort", close);
    socket.destroy();
    settle({ text: Buffer.concat(received).toString("latin1"), failure });
  }

  function close(): void {
    conclude({ reason: "dropped", detail: "the scan was interrupted here" });
  }

  function expect(what: string): void {
    clearTimeout(timer);
    if (over) return;
    const withinMs = connected ? timeoutMs : Math.min(timeoutMs, connectTimeoutMs);
    const reason = connected ? "timeout" : "engine-down";
    timer = setTimeout(
      () => conclude({ reason, detail: `clamd did not ${what} within ${withinMs} ms` }),
      withinMs,
    );
  }

  socket.on("connect", () => {
    connected = true;
    expect("take what was sent");
  });
  socket.on("data", (bytes) => {
    received.push(bytes);
    receivedBytes += bytes.byteLength;
    if (receivedBytes > maxReplyBytes) {
      conclude({ reason: "unknown-answer", detail: `clamd answered more than ${maxReplyBytes} bytes` });
    }
    if (!finished) {
      answeredEarly = true;
      if (bytes.includes(0)) conclude(tooEarly);
    }
  });
  socket.on("end", () => {
    if (answeredEarly) conclude(tooEarly);
    else if (finished) conclude(undefined);
    else conclude({ reason: "dropped", detail: "clamd closed the connection before it had everything" });
  });
  socket.on("error", (error) => {
    // A reset behind a whole answer: libuv tells it as an end or as an error, depending on when it comes.
    if (finished && !answeredEarly && received.at(-1)?.at(-1) === 0) conclude(undefined);
    const code = "code" in error ? String(error.code) : error.name;
    conclude(
      connected
        ? { reason: "dropped", detail: `the connection to clamd was interrupted (${code})` }
        : { reason: "engine-down", detail: `no connection to clamd at ${nameOf(clamd)} (${code})` },
    );
  });
  socket.on("close", () =>
    conclude({ reason: "dropped", detail: "the connection to clamd was interrupted" }),
  );

  signal?.addEventListener("abort", close, { once: true });
  expect(`accept a connection at ${nameOf(clamd)}`);
  if (signal?.aborted === true) close();
  else connect();

  function connect(): void {
    try {
      socket.connect("socket" in clamd ? { path: clamd.socket } : { host: clamd.host, port: clamd.port });
    } catch (error) {
      // A port or path that can be nobody's address is thrown at once instead of told by an event.
      socket.emit("error", error);
    }
  }

  async function send(bytes: Uint8Array): Promise<void> {
    if (over) return;
    unsent += 1;
    if (connected) expect("take what was sent");
    // A failed write is a failure of the socket too, and heard there.
    await Promise.race([new Promise<void>((resolve) => socket.write(bytes, () => resolve())), reply]);
    unsent -= 1;
    // From here on it is the caller who takes the time.
    if (unsent === 0) clearTimeout(timer);
  }

  return {
    send,
    async finish(bytes, { hangUp } = { hangUp: false }) {
      await send(bytes);
      // In the same turn in which the last byte left: no answer to it can have come in yet.
      finished = true;
      if (hangUp) socket.end();
      expect("answer");
      return await reply;
    },
    isOver: () => over,
    close,
  };
}

function nameOf(clamd: Clamd): string {
  return "socket" in clamd ? clamd.socket : `${clamd.host}:${clamd.port}`;
}
