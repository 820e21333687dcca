import { errorName, isAnswer, isDenied, isUnsupported } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import type { Finding } from "./finding.ts";

type About = Pick<Finding, "check" | "subject">;

interface Attempts {
  /** The findings of a check, or the one that it failed. */
  readonly attempt: (about: About, check: () => Promise<Finding[]>) => Promise<Finding[]>;
  /** A failed check as a finding; an error that nobody can explain is a bug and is thrown. */
  readonly failure: (about: About, error: unknown) => Finding;
}

/** Turns failing checks into findings, and tells a cause that they share once. */
export function attempts({
  explain,
  signal,
}: {
  readonly explain: (error: unknown) => CliError | undefined;
  readonly signal?: AbortSignal;
}): Attempts {
  const told = new Set<string>();

  function failure(about: About, error: unknown): Finding {
    signal?.throwIfAborted();
    const explained = error instanceof CliError ? error : explain(error);
    if (explained === undefined) throw error;
    // A missing permission concerns one call; what keeps a request from being answered at all, every call.
    const cause = isAnswer(error) ? (errorName(error) ?? "") : explained.message;
    if (!isDenied(error) && told.has(cause)) {
      return { ...about, status: "skipped", message: "could not be looked at, for the reason told above" };
    }
    told.add(cause);
    if (isUnsupported(error)) return { ...about, status: "skipped", message: explained.message };
    return { ...about, status: "problem", message: explained.message, remedy: explained.hint };
  }

  return {
    failure,
    async attempt(about, check) {
      signal?.throwIfAborted();
      try {
        return await check();
      } catch (error) {
        return [failure(about, error)];
      }
    },
  };
}
