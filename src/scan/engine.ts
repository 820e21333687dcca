import { converse, type Clamd, type ConversationOptions } from "./conversation.ts";
import { notScanned, type NotScanned } from "./verdict.ts";

/** What clamd says of itself. */
export interface ScannerFacts {
  /** clamd's own line, which is stored with a verdict: `ClamAV 1.4.6/27461/Fri Nov 20 09:31:00 2026`. */
  readonly engine: string;
  /** `1.4.6` */
  readonly engineVersion: string;
  /** Undefined when no official database is loaded, only signatures of one's own. */
  readonly signatures: { readonly version: number; readonly date: string | undefined } | undefined;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/**
 * Asks clamd whether it is there (PING) and which version of engine and signatures it works with (VERSION). An
 * engine that cannot be asked is an answer too, the one that a scan would come to. Rejects only with the signal's
 * reason.
 */
export async function scannerFacts(
  clamd: Clamd,
  options: ConversationOptions,
): Promise<ScannerFacts | NotScanned> {
  const pong = await ask("PING", clamd, options);
  options.signal?.throwIfAborted();
  if (typeof pong !== "string") return pong;
  if (pong !== "PONG")
    return notScanned("unknown-answer", "what listens there does not answer as clamd does");
  const facts = await engineVersion(clamd, options);
  options.signal?.throwIfAborted();
  return facts;
}

/** VERSION alone, as `scannerFacts`, but broken off by the signal it is an answer, too: it never rejects. */
export async function engineVersion(
  clamd: Clamd,
  options: ConversationOptions,
): Promise<ScannerFacts | NotScanned> {
  const line = await ask("VERSION", clamd, options);
  if (typeof line !== "string") return line;
  return readVersion(line) ?? notScanned("unknown-answer", "what listens there tells no version of clamd");
}

/** One command and its whole answer, without the terminator. */
async function ask(
  command: "PING" | "VERSION",
  clamd: Clamd,
  options: ConversationOptions,
): Promise<string | NotScanned> {
  const { text, failure } = await converse(clamd, options).finish(Buffer.from(`z${command}\0`));
  if (failure !== undefined) return notScanned(failure.reason, failure.detail);
  if (!text.endsWith("\0")) return notScanned("dropped", `clamd closed the connection, asked for ${command}`);
  if (text.indexOf("\0") === text.length - 1) return text.slice(0, -1);
  return notScanned("unknown-answer", `what listens there does not answer ${command} as clamd does`);
}

/**
 * `ClamAV 1.4.6/27461/Fri Nov 20 09:31:00 2026`, or the first part alone. clamd gives the time of its signatures
 * in its own zone without naming it, so the day is all that can be said.
 */
export function readVersion(line: string): ScannerFacts | undefined {
  const parts =
    /^ClamAV ([\x21-\x2e\x30-\x7e]{1,50})(?:\/([0-9]{1,9})\/[A-Z][a-z]{2} ([A-Z][a-z]{2}) {1,2}([0-9]{1,2}) [0-9:]{8} ([0-9]{4}))?$/.exec(
      line,
    );
  if (parts === null) return undefined;
  const [engine, version = "", signatures, month = "", day = "", year = ""] = parts;
  if (signatures === undefined) return { engine, engineVersion: version, signatures: undefined };
  const monthNumber = String(months.indexOf(month) + 1).padStart(2, "0");
  const date = monthNumber === "00" ? undefined : `${year}-${monthNumber}-${day.padStart(2, "0")}`;
  return { engine, engineVersion: version, signatures: { version: Number(signatures), date } };
}
