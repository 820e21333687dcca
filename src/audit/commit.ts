import type { Aws } from "../aws/clients.ts";
import type { TransactStep } from "../aws/dynamodb/transact.ts";
import type { AuditEvent } from "../model/audit.ts";

/** What is told of a change: one event, or several that stand or fall together. */
export type Told = AuditEvent | readonly AuditEvent[];

/** The last step of a change, with what it is told as. */
export interface Committed {
  /** At most a few. */
  readonly steps: readonly TransactStep[];
  readonly told: Told;
  readonly signal?: AbortSignal;
}

/**
 * Does the steps and records what they are told as in one transaction: both or neither, and no call more than the change alone.
 * Resolves to whether they were done: not where a condition of theirs did not hold. Once for a change.
 */
export type Commit = (aws: Aws, committed: Committed) => Promise<boolean>;

/** A commit where no trail is kept. The transaction is loaded late: every run has an audit, and few commit. */
export const commitUntold: Commit = async (aws, { steps, signal }) => {
  const { transact } = await import("../aws/dynamodb/transact.ts");
  return (await transact(aws, steps, signal)) === undefined;
};
