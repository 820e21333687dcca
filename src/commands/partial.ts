import { CliError, exitCodes } from "../errors.ts";
import { count } from "../output/text.ts";

/** Ends a command that did only a part: the failures are listed on stderr, the exit code is 3. */
export function partial(failures: readonly { what: string; why: string }[], done: number): CliError {
  const list = failures.map(({ what, why }) => `  ${what}: ${why}`).join("\n");
  return new CliError(`${count(failures.length, "failure")}, ${done} done:\n${list}`, {
    exitCode: exitCodes.partial,
  });
}
