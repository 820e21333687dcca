import { CliError } from "./errors.ts";
import type { World } from "./world.ts";

/** Ended by Ctrl-C or SIGTERM: 128 + SIGINT, as shells count. */
const interrupted = 130;

/**
 * Runs one command line and resolves to its exit code. The only catch: what the user can act on is told in one
 * to three lines (with `--json` as one object on stderr), everything else is a bug and shows its stack.
 */
export async function main(argv: readonly string[], world: World): Promise<number> {
  const { buildProgram } = await import("./program.ts");
  const program = buildProgram(world);
  try {
    await program.run(argv);
    return 0;
  } catch (error) {
    return await report(error, world, program.voice());
  } finally {
    await program.close();
  }
}

/** What is known of how the user wants to be told, even when the configuration could not be resolved. */
export interface Voice {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly profile: string | undefined;
  readonly region: string | undefined;
  readonly endpointUrl: string | undefined;
}

async function report(error: unknown, world: World, voice: Voice): Promise<number> {
  if (isCommanderError(error)) {
    // Help and version end this way too; a usage error has been printed by commander unless JSON is wanted.
    if (error.exitCode === 0) return 0;
    if (voice.json) tell(world, new CliError(error.message.replace(/^error: /, ""), { exitCode: 2 }), voice);
    return 2;
  }
  if (world.signal.aborted || isPromptExit(error)) {
    if (voice.json)
      world.stderr.write(`${JSON.stringify({ error: "interrupted", exitCode: interrupted })}\n`);
    else world.stderr.write("interrupted; run the same command again to go on\n");
    return interrupted;
  }
  if (error instanceof CliError) return tell(world, error, voice);
  const { explain } = await import("./aws/explain.ts");
  const explained = explain(error, voice);
  if (explained !== undefined) return tell(world, explained, voice);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (voice.json) world.stderr.write(`${JSON.stringify({ error: stack, bug: true, exitCode: 1 })}\n`);
  else world.stderr.write(`${stack}\nthis is a bug in mawps: please report it with the lines above\n`);
  return 1;
}

function tell(world: World, error: CliError, { json, verbose }: Voice): number {
  const detail = verbose ? details(error.cause) : {};
  if (json) {
    const { message, hint, exitCode } = error;
    world.stderr.write(
      `${JSON.stringify({ error: message, ...(hint === undefined ? {} : { hint }), exitCode, ...detail })}\n`,
    );
    return exitCode;
  }
  world.stderr.write(`error: ${error.message}\n`);
  if (error.hint !== undefined) world.stderr.write(`hint: ${error.hint}\n`);
  for (const [name, value] of Object.entries(detail)) world.stderr.write(`${name}: ${value}\n`);
  return error.exitCode;
}

/** Cause and request id, for `--verbose`. */
function details(cause: unknown): Record<string, string> {
  if (!(cause instanceof Error)) return {};
  const metadata = (cause as { $metadata?: { requestId?: string; attempts?: number } }).$metadata;
  return {
    cause: `${cause.name}: ${cause.message}`,
    ...(metadata?.requestId === undefined ? {} : { requestId: metadata.requestId }),
    ...(metadata?.attempts === undefined ? {} : { attempts: String(metadata.attempts) }),
  };
}

function isCommanderError(error: unknown): error is Error & { exitCode: number } {
  return (
    error instanceof Error && (error as { code?: unknown }).code?.toString().startsWith("commander.") === true
  );
}

/** How @inquirer ends a question at Ctrl-C, or when its signal is aborted. */
function isPromptExit(error: unknown): boolean {
  return error instanceof Error && (error.name === "ExitPromptError" || error.name === "AbortPromptError");
}
