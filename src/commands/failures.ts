import { CliError, exitCodes } from "../errors.ts";
import { partial } from "./partial.ts";

/** One of several things that could not be done. */
export interface Failed {
  readonly what: string;
  readonly failure: CliError;
}

/**
 * Ends a command with what it could not do, each listed: with 3 when something else was done, with 1 when nothing was. The only
 * thing that there was to do fails as itself. Without failures nothing happens.
 */
export function failPartly(failures: readonly Failed[], done: number): void {
  const [first] = failures;
  if (first === undefined) return;
  if (failures.length === 1 && done === 0) {
    const { what, failure } = first;
    throw new CliError(`${what}: ${failure.message}`, {
      hint: failure.hint,
      cause: failure.cause,
    });
  }
  throw partial(
    failures.map(({ what, failure: { message } }) => ({ what, why: message })),
    done,
    done > 0 ? {} : { exitCode: exitCodes.failed },
  );
}
