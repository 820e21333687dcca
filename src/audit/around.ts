import { NothingChanged } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { AuditDetails } from "../model/audit-details.ts";
import type { Commit, Told } from "./commit.ts";
import type { RunClaim } from "./run-claim.ts";

/** Tells the trail of changes, each by what is written around it. */
export interface Around {
  /**
   * For what can be undone: announces the change in the bucket beside `act`, and records it when it is done, as
   * `outcome` tells it: with further details, or as events of its own; none when nothing has changed. Without, as announced.
   * A refusal that says so (NothingChanged) is no change; after any other failure the entry says `phase: "failed"`.
   * Where the change ends with a write of items, `act` may have it made and told of in one call: `commit`.
   */
  change<T>(told: Told, act: (commit: Commit) => Promise<T>, outcome?: Outcome<T>): Promise<T>;
  /**
   * For what cannot be undone: records the intent (`phase: "begun"`) and only then acts; then the outcome, `done` with
   * what `outcome` tells of the result, or `failed`, and the failure passes.
   */
  irreversible<T>(told: Told, act: () => Promise<T>, outcome?: Outcome<T>): Promise<T>;
}

/** Further details of what was announced, or the events to record in its place. */
type Outcome<T> = (result: T) => AuditDetails | readonly AuditEvent[];

/** One of a change that the number names. */
export interface NumberedEvent extends AuditEvent {
  readonly change?: number;
}

/** How a change is told of by entries around it. */
export function around({
  record,
  commit,
  claim,
  warn,
}: {
  readonly record: (events: readonly NumberedEvent[]) => Promise<void>;
  readonly commit: Commit;
  readonly claim: Pick<RunClaim, "number" | "begin" | "end">;
  readonly warn: (text: string) => void;
}): Around {
  /** Whether the trail has it. Where it has not, the change stays announced, and its own failure is what is thrown. */
  const recordFailure = async (change: number, events: readonly AuditEvent[], error: unknown) => {
    const failure = { phase: "failed", error: error instanceof Error ? error.name : "unknown" };
    try {
      await record(ending(change, withDetails(events, failure)));
      return true;
    } catch (unrecorded) {
      warn(unrecorded instanceof Error ? unrecorded.message : String(unrecorded));
      return false;
    }
  };

  return {
    async change(told, act, outcome) {
      const events = [told].flat();
      const change = claim.begin(events);
      let isTold = false;
      let result;
      try {
        result = await act(async (aws, committed) => {
          const last = ending(change, [committed.told].flat());
          return (isTold = await commit(aws, { ...committed, told: last }));
        });
      } catch (error) {
        if (isTold || error instanceof NothingChanged || (await recordFailure(change, events, error)))
          claim.end(change);
        throw error;
      }
      if (!isTold) await record(ending(change, outcomeOf(events, outcome?.(result))));
      claim.end(change);
      return result;
    },
    async irreversible(told, act, outcome) {
      const events = [told].flat();
      const change = claim.number();
      await record(withDetails(events, { phase: "begun" }).map((event) => ({ ...event, change })));
      let result;
      try {
        result = await act();
      } catch (error) {
        await recordFailure(change, events, error);
        throw error;
      }
      const outcomes = outcomeOf(events, outcome?.(result)).map((event) => ({
        ...event,
        details: { ...event.details, phase: event.details?.phase ?? "done" },
      }));
      await record(ending(change, outcomes));
      return result;
    },
  };
}

/**
 * The outcome of a change: the last event alone carries the number, which says that the change came to its end. An outcome of many
 * events takes several writes, and a run that ends between them leaves the change open.
 */
function ending(change: number, events: readonly AuditEvent[]): NumberedEvent[] {
  return events.map((event, at) => (at === events.length - 1 ? { ...event, change } : event));
}

function withDetails(events: readonly AuditEvent[], details: AuditDetails): AuditEvent[] {
  return events.map((event) => ({ ...event, details: { ...event.details, ...details } }));
}

function outcomeOf(
  events: readonly AuditEvent[],
  told: AuditDetails | readonly AuditEvent[] = {},
): readonly AuditEvent[] {
  return isEvents(told) ? told : withDetails(events, told);
}

function isEvents(told: AuditDetails | readonly AuditEvent[]): told is readonly AuditEvent[] {
  return Array.isArray(told);
}
