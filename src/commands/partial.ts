import { CliError, exitCodes, type CliErrorOptions } from "../errors.ts";
import { count } from "../output/text.ts";

/** Ends a command that did only a part: the failures are listed on stderr, the exit code is 3. */
export function partial(
  failures: readonly { what: string; why: string }[],
  done: number,
  options: CliErrorOptions = {},
): CliError {
  return new CliError(`${count(failures.length, "failure")}, ${done} done:`, {
    exitCode: exitCodes.partial,
    details: failures.map(({ what, why }) => `${what}: ${why}`),
    ...options,
  });
}
