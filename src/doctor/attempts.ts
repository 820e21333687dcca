import { errorName, isAnswer, isDenied, isUnsupported } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import { told, type About, type DoctorFinding, type Finding } from "./finding.ts";

interface Attempts {
  /** The findings of a check, or the one that it failed. */
  readonly attempt: <F extends Finding>(
    about: About,
    check: () => Promise<F[]>,
  ) => Promise<(F | DoctorFinding)[]>;
  /** A failed check as a finding; an error that nobody can explain is a bug and is thrown. */
  readonly failure: (about: About, error: unknown) => DoctorFinding;
}

/** Turns failing checks into findings, and tells a cause that they share once. */
export function attempts({
  explain,
  signal,
}: {
  readonly explain: (error: unknown) => CliError | undefined;
  readonly signal?: AbortSignal;
}): Attempts {
  const causes = new Set<string>();

  function failure(about: About, error: unknown): DoctorFinding {
    signal?.throwIfAborted();
    const explained = error instanceof CliError ? error : explain(error);
    if (explained === undefined) throw error;
    // A missing permission concerns one call; what keeps a request from being answered at all, every call.
    const cause = isAnswer(error) ? (errorName(error) ?? "") : explained.message;
    if (!isDenied(error) && causes.has(cause)) return { ...about, ...told("skipped", "told-above") };
    causes.add(cause);
    const { message: why, hint } = explained;
    if (isUnsupported(error)) return { ...about, ...told("skipped", "failed", { why, hint: undefined }) };
    return { ...about, ...told("problem", "failed", { why, hint }) };
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
