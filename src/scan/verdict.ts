/** Why nothing is known about a content; see `docs/virus-scan.md` for each. */
export type NotScannedReason =
  /** Retrying does not help: the content or a limit is the reason. */
  | "empty"
  | "too-large"
  | "limits-exceeded"
  | "encrypted"
  /** The engine or the way to it is the reason. */
  | "engine-down"
  | "timeout"
  | "dropped"
  | "unknown-answer"
  | "engine-error";

/** `detail` is one line for people; it holds nothing of the scanned content. */
export interface Failure {
  readonly reason: "engine-down" | "timeout" | "dropped" | "unknown-answer";
  readonly detail: string;
}

/**
 * What a scan came to, in the model's words (`scanResult`). `SKIPPED`: this content cannot be scanned as things
 * are set up, so a repetition comes to the same. `ERROR`: the engine could not be asked, a repetition may succeed.
 * `engine` is clamd's own line of engine and signature version.
 */
export type Verdict =
  | { readonly result: "CLEAN"; readonly engine: string }
  | { readonly result: "INFECTED"; readonly signature: string; readonly engine: string | undefined }
  | { readonly result: "ERROR" | "SKIPPED"; readonly reason: NotScannedReason; readonly detail: string };

export type NotScanned = Extract<Verdict, { readonly reason: NotScannedReason }>;

/** All that came back on a connection to clamd. */
export interface Reply {
  /** The bytes as latin1. */
  readonly text: string;
  /** Undefined when clamd ended the connection in order, after it had everything that was to be sent. */
  readonly failure: Failure | undefined;
}

const skippedReasons: ReadonlySet<NotScannedReason> = new Set([
  "empty",
  "too-large",
  "limits-exceeded",
  "encrypted",
]);

export function notScanned(reason: NotScannedReason, detail: string): NotScanned {
  return { result: skippedReasons.has(reason) ? "SKIPPED" : "ERROR", reason, detail };
}

/**
 * Reads clamd's reply to one INSTREAM. Clean is the exact answer, with its terminator, on a connection that ended
 * in order after everything was sent: no byte more, none less. A complete answer that names a signature counts
 * whatever surrounds it: no fault of the connection may turn it into something that `scanPolicy: allow` lets pass.
 * `engine` is clamd's line of its version, or why that is not known: then nothing is clean.
 *
 * | reply                                               | verdict                      |
 * |-----------------------------------------------------|------------------------------|
 * | `stream: <name> FOUND` among the complete answers   | INFECTED                     |
 * | `stream: Heuristics.Limits.Exceeded<...> FOUND`     | SKIPPED, limits-exceeded     |
 * | `stream: Heuristics.Encrypted<...> FOUND`           | SKIPPED, encrypted           |
 * | `INSTREAM size limit exceeded. ERROR`               | SKIPPED, too-large           |
 * | `<text> ERROR` and nothing else                     | ERROR, engine-error          |
 * | `COMMAND READ TIMED OUT`                            | ERROR, timeout               |
 * | the connection failed                               | ERROR, its reason            |
 * | `stream: OK` and nothing else                       | CLEAN                        |
 * | nothing, or an answer without its terminator        | ERROR, dropped               |
 * | anything else                                       | ERROR, unknown-answer        |
 */
export function judge(reply: Reply, engine: string | NotScanned): Verdict {
  // The last piece is empty when the text ends with a terminator, else it is an answer cut short.
  const answers = reply.text.split("\0").slice(0, -1);
  const found = answers.map(signatureIn).filter((signature) => signature !== undefined);
  const infection = found.find((signature) => unscanned(signature) === undefined);
  if (infection !== undefined) {
    return {
      result: "INFECTED",
      signature: infection,
      engine: typeof engine === "string" ? engine : undefined,
    };
  }
  for (const signature of found) {
    const reason = unscanned(signature);
    if (reason !== undefined) return notScanned(reason, `clamd answered ${signature}`);
  }
  if (answers.includes("INSTREAM size limit exceeded. ERROR")) {
    return notScanned("too-large", "larger than the StreamMaxLength of clamd");
  }
  const [only = ""] = answers;
  if (reply.text === `${only}\0` && /^[\x20-\x7e]{1,200} ERROR$/.test(only)) {
    return notScanned("engine-error", `clamd answered: ${only}`);
  }
  // Without the terminator that was asked for, which clamd sends when the content comes too slowly.
  if (reply.text === "COMMAND READ TIMED OUT\n") {
    return notScanned("timeout", "clamd waited for the content longer than its ReadTimeout");
  }
  if (reply.failure !== undefined) return notScanned(reply.failure.reason, reply.failure.detail);
  if (reply.text === "stream: OK\0") {
    return typeof engine === "string" ? { result: "CLEAN", engine } : engine;
  }
  if (reply.text === "") return notScanned("dropped", "clamd closed the connection without an answer");
  if (!reply.text.endsWith("\0"))
    return notScanned("dropped", "clamd closed the connection within its answer");
  // Not quoted: what listens there may be no clamd, and may echo the content.
  return notScanned("unknown-answer", `what clamd answered is no verdict (${reply.text.length} bytes)`);
}

/** The name in an answer; clamd with `ExtendedDetectionInfo` appends digest and size, which are no part of it. */
function signatureIn(answer: string): string | undefined {
  const name = /^stream: ([\x20-\x7e]{1,500}) FOUND$/.exec(answer)?.[1];
  return name?.replace(/\([0-9a-f]{32,64}:[0-9]+\)$/, "");
}

/** Names that clamd gives when it did not look into the content (`AlertExceedsMax`, `AlertEncrypted`). */
function unscanned(signature: string): "limits-exceeded" | "encrypted" | undefined {
  if (signature.startsWith("Heuristics.Limits.Exceeded")) return "limits-exceeded";
  if (signature.startsWith("Heuristics.Encrypted")) return "encrypted";
  return undefined;
}
