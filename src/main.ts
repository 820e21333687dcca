import { CliError, exitCodes, isPromptExit } from "./errors.ts";
import { withoutSecrets } from "./output/secrets.ts";
import { json as asJson, visible, visibleLines } from "./output/text.ts";
import type { Voice } from "./program.ts";
import type { World } from "./world.ts";

/** How it is told, and the pieces of the command line that have bytes which are no UTF-8. */
interface Telling extends Voice {
  readonly damaged: readonly string[];
}

/** Ended by Ctrl-C or SIGTERM: 128 + SIGINT, as shells count. */
const interrupted = 130;

/**
 * Runs one command line and resolves to its exit code. The only catch: what the user can act on is told in one
 * to three lines (with `--json` as one object on stderr), everything else is a bug and shows its stack.
 */
export async function main(argv: readonly string[], world: World): Promise<number> {
  const { buildProgram } = await import("./program.ts");
  const program = buildProgram(world);
  const damaged = argv.flatMap((each) => each.split(/[/=]/).filter((piece) => piece.includes("\uFFFD")));
  const voice = () => ({ ...program.voice(), damaged });
  const quieten = tellOfStopping(world, voice);
  try {
    try {
      await program.run(argv);
    } finally {
      await program.close();
    }
    // A failed write is told by its stream only after it.
    await new Promise((done) => setImmediate(done));
    return isLostOutput(world.signal) ? await reportLostOutput(world, { ...voice(), changing: false }) : 0;
  } catch (error) {
    return await report(error, world, voice);
  } finally {
    quieten();
  }
}

/** From when on a command that is still tidying up after Ctrl-C says so. */
const stoppingMs = 300;

/** Ctrl-C is answered soon, also when what runs takes a while to end. Returns how to call that off. */
function tellOfStopping(world: World, voice: () => Telling): () => void {
  const { signal } = world;
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    if (voice().json || isLostOutput(signal)) return;
    timer = setTimeout(() => {
      world.stderr.write("stopping; Ctrl-C again ends it at once, without tidying up\n");
    }, stoppingMs);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return () => {
    signal.removeEventListener("abort", onAbort);
    clearTimeout(timer);
  };
}

/** Whether it was stdout that failed, not a person who stopped it. */
function isLostOutput({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof Error && "syscall" in reason;
}

/** Loaded with the first error: most runs have none. */
const aside = () => import("./output/aside.ts");

async function report(error: unknown, world: World, telling: () => Telling): Promise<number> {
  // Help and version end this way too, and want no more than they have.
  if (isCommanderError(error) && error.exitCode === 0) {
    await new Promise((done) => setImmediate(done));
    return isLostOutput(world.signal) ? reportLostOutput(world, telling()) : 0;
  }
  const voice = telling();
  if (isLostOutput(world.signal)) return reportLostOutput(world, voice);
  if (isCommanderError(error)) {
    // Commander has shown the help.
    if (error.code === "commander.help" && !voice.json) return exitCodes.usage;
    return tell(world, usageError(error), voice);
  }
  if (world.signal.aborted || isPromptExit(error)) {
    if (voice.json)
      world.stderr.write(`${JSON.stringify({ error: "interrupted", exitCode: interrupted })}\n`);
    else if (isPromptExit(error))
      world.stderr.write(
        (await aside()).asideText(
          "interrupted at the question; nothing of what it asks for was done",
          voice.layout,
        ),
      );
    else world.stderr.write("interrupted; run the same command again to go on\n");
    return interrupted;
  }
  if (error instanceof CliError) return tell(world, error, voice);
  const { explain } = await import("./aws/explain/explain.ts");
  const explained = explain(error, voice);
  if (explained !== undefined) return tell(world, explained, voice);
  const { explainSystem } = await import("./explain-system.ts");
  const refused = explainSystem(error);
  if (refused !== undefined) return tell(world, refused, voice);
  const { mappedStack } = await import("./mapped-stack.ts");
  const raw = error instanceof Error ? mappedStack(error.stack ?? error.message) : String(error);
  const stack = withoutSecrets(raw, world.env);
  if (voice.json) world.stderr.write(`${asJson({ error: stack, bug: true, exitCode: 1 })}\n`);
  else
    world.stderr.write(
      `${visibleLines(stack)}\nthis is a bug in mawps: please report it with the lines above\n`,
    );
  return 1;
}

/**
 * A reader that went away (`| head -1`) has what it wanted: nothing is said, and only a change that this broke off is no
 * success. Anything else lost the result.
 */
async function reportLostOutput(world: World, voice: Telling): Promise<number> {
  const { reason } = world.signal as { reason: NodeJS.ErrnoException };
  if (reason.code === "EPIPE") return voice.changing ? interrupted : 0;
  const { explainSystem } = await import("./explain-system.ts");
  const why = explainSystem(reason)?.message ?? reason.message;
  return tell(world, new CliError(`cannot write to standard output: ${why}`, { cause: reason }), voice);
}

/** What commander found wrong, as one of ours. It calls a missing verb "(outputHelp)". */
function usageError({ code, message }: CommanderError): CliError {
  if (code === "commander.help") {
    return new CliError("no command given", {
      exitCode: exitCodes.usage,
      hint: "--help shows what there is",
    });
  }
  const [first = "", suggestion] = message.replace(/^error: /, "").split("\n");
  return new CliError(first, { exitCode: exitCodes.usage, hint: suggestion?.replace(/^\((.*)\)$/, "$1") });
}

/** Node puts U+FFFD in place of bytes of the command line that are no UTF-8, and no file has such a name. */
const notUtf8 = "a file whose name is not UTF-8 cannot be named here: rename it first (convmv does that)";

async function tell(
  { stderr, env }: World,
  error: CliError,
  { json, verbose, layout, damaged }: Telling,
): Promise<number> {
  const { exitCode } = error;
  const [message = "", ...listed] = [error.message, ...error.details].map((text) =>
    withoutSecrets(text, env),
  );
  const more = verbose ? causeOf(error.cause) : {};
  const isNamed = damaged.some((piece) => [message, ...listed].some((text) => text.includes(piece)));
  const hint = isNamed ? notUtf8 : error.hint;
  const told = Object.entries({ hint, ...more }).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, withoutSecrets(text, env)] as const],
  );
  if (json) {
    const whole = [message, ...listed.map((line) => `  ${line}`)].join("\n");
    stderr.write(`${asJson({ error: whole, exitCode, ...Object.fromEntries(told) })}\n`);
    return exitCode;
  }
  const { asideText } = await aside();
  stderr.write(asideText(visible(message), layout, { label: "error:", tone: "bad" }));
  for (const line of listed) stderr.write(asideText(`  ${visible(line)}`, layout));
  for (const [name, text] of told)
    stderr.write(asideText(visible(text), layout, { label: `${name}:`, tone: "dim" }));
  return exitCode;
}

/** Cause and request id, for `--verbose`. */
function causeOf(cause: unknown): Record<string, string> {
  if (!(cause instanceof Error)) return {};
  const metadata = (cause as { $metadata?: { requestId?: string; attempts?: number } }).$metadata;
  return {
    cause: `${cause.name}: ${cause.message}`,
    ...(metadata?.requestId === undefined ? {} : { requestId: metadata.requestId }),
    ...(metadata?.attempts === undefined ? {} : { attempts: String(metadata.attempts) }),
  };
}

interface CommanderError extends Error {
  readonly code: string;
  readonly exitCode: number;
}

function isCommanderError(error: unknown): error is CommanderError {
  return (
    error instanceof Error && (error as { code?: unknown }).code?.toString().startsWith("commander.") === true
  );
}
