import { setImmediate } from "node:timers/promises";
import type { AuditEvent } from "../model/audit.ts";
import { closeClaim, writeClaim } from "./claims.ts";
import type { TrailPlace } from "./place.ts";

export type RunClaim = ReturnType<typeof makeClaim>;

/** What the run has under way, and its announcement in the bucket: one write at a time, of what there is by then. */
export function makeClaim(
  site: TrailPlace,
  { writer, actor }: { readonly writer: string; readonly actor: Promise<string> },
) {
  const open = new Map<number, readonly AuditEvent[]>();
  let numbers = 0;
  let isStale = false;
  let isWriting = false;
  /** Whether what was written last does. */
  let namesChanges = false;
  let standing: Promise<boolean> | undefined;

  async function write(): Promise<boolean> {
    isWriting = true;
    // Changes that begin in the same turn are announced together, and with the run itself.
    await setImmediate();
    try {
      while (isStale) {
        isStale = false;
        const changes = [...open].flatMap(([change, events]) => events.map((event) => ({ change, event })));
        namesChanges = changes.length > 0;
        if (namesChanges) await writeClaim(site, writer, { actor: await actor, changes });
        else await closeClaim(site, writer);
      }
      return true;
    } finally {
      isWriting = false;
    }
  }

  function announce(): Promise<boolean> {
    isStale = true;
    if (standing === undefined || !isWriting) {
      standing = write();
      // It is told to those who wait for it; a change that is refused meanwhile waits for nothing.
      standing.catch(() => undefined);
    }
    return standing;
  }

  const number = () => (numbers += 1);
  return {
    number,
    announce: () => void announce().catch(() => undefined),
    /** Announces a change beside what the caller does next. */
    begin(events: readonly AuditEvent[]): number {
      const change = number();
      if (events.length === 0) return change;
      open.set(change, events);
      void announce().catch(() => undefined);
      return change;
    },
    /** Resolves when the run is announced, with all that it has begun: no entry goes before. */
    async stands(): Promise<void> {
      const before = await standing?.catch(() => false);
      if (before !== true) await announce();
    },
    end(change: number): void {
      open.delete(change);
    },
    /** Says that nothing is under way; what has no entry stays announced. */
    async close(): Promise<void> {
      if ((await standing?.catch(() => false)) === true && namesChanges && open.size === 0)
        await closeClaim(site, writer);
    },
  };
}
