/** What a process may end with; documented in docs/commands.md. 0 and 130 are not errors of ours. */
export const exitCodes = { failed: 1, usage: 2, partial: 3, findings: 4, due: 5 } as const;

export interface CliErrorOptions {
  /** What to do next, one line. */
  hint?: string;
  /** Default `failed` (1). */
  exitCode?: number;
  /** What it was about one by one, a line each, shown below the message. */
  details?: readonly string[];
  cause?: unknown;
}

/**
 * A failure that the user can act on: what happened, to what, and what to do next. Everything else that is
 * thrown counts as a bug and is shown with its stack. Messages are lower case, one line, name the wrong value and hold
 * no secret, presigned link or document content.
 */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly hint: string | undefined;
  readonly exitCode: number;
  readonly details: readonly string[];

  constructor(message: string, options: CliErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? exitCodes.failed;
    this.details = options.details ?? [];
  }
}

/** The answer of a person to a question, which was no. */
export class Declined extends CliError {}

/** How @inquirer ends a question at Ctrl-C, or when its signal is aborted. */
export function isPromptExit(error: unknown): boolean {
  return error instanceof Error && (error.name === "ExitPromptError" || error.name === "AbortPromptError");
}

/** A refusal that certainly came before anything was changed, or behind what took it all back: the audit trail need not tell of it. */
export class NothingChanged extends CliError {}
