import { CliError, exitCodes } from "../../errors.ts";
import { count } from "../../output/text.ts";
import type { ProgressProblem, ReadProgress } from "../../site/progress/read.ts";
import type { Run } from "../run.ts";

/** A user whose data is broken in places. */
interface UserProblems {
  readonly userId: string;
  /** The first ones; `problemCount` has them all. */
  readonly problems: readonly ProgressProblem[];
  readonly problemCount: number;
}

const maxUsers = 100;

/** Collects what is broken in users' data while a command goes on. Keeps the first 100 users: a run may meet any number. */
export class BrokenData {
  readonly users: UserProblems[] = [];
  #count = 0;

  add(userId: string, { problems, problemCount }: ReadProgress): void {
    if (problemCount === 0) return;
    this.#count += 1;
    if (this.users.length < maxUsers) this.users.push({ userId, problems, problemCount });
  }

  /** A warning for each user, unless the result has them. */
  warn(run: Run): void {
    for (const { userId, problems, problemCount } of this.users) {
      const [first] = problems;
      const more = problemCount > 1 ? ` (and ${problemCount - 1} more)` : "";
      run.warn(`${userId}: ${first?.path ?? ""} ${first?.problem ?? ""}${more}`);
    }
  }

  /** @throws CliError with exit code 3 when anything was broken; call it when the result is out. */
  end(): void {
    if (this.#count === 0) return;
    const users = count(this.#count, "user");
    throw new CliError(`data of ${users} is broken in places; the rest of it was read`, {
      exitCode: exitCodes.partial,
    });
  }
}
