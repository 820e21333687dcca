import type { AuditEntry } from "../model/audit.ts";
import type { ChainHead } from "../model/audit.ts";
import { readHead } from "./entries.ts";
import { listAudit, type AuditFilter } from "./list.ts";
import type { TrailPlace } from "./place.ts";
import { verifyTrail, type Found, type Verification } from "./verify.ts";

/** What a period of the trail tells, for who has to file it. */
export interface AuditReport {
  readonly entries: number;
  /** The first and the last moment of an entry. */
  readonly from: string | null;
  readonly to: string | null;
  readonly actions: ReadonlyMap<string, number>;
  readonly actors: ReadonlyMap<string, number>;
  /** What was given out of people, and who was erased: newest first. */
  readonly letters: readonly AuditEntry[];
  /** Exports and erasures that are not among `letters`. */
  readonly moreLetters: number;
  readonly verification: Verification;
  readonly found: readonly Found[];
  readonly moreFound: number;
  readonly head: Pick<ChainHead, "sequence" | "hash">;
}

const letterActions: ReadonlySet<string> = new Set(["user.exported", "user.erased"]);

/** So many exports and erasures, and so many findings, are told one by one; what more there are is counted. */
const mostTold = 1000;

/** Reads a period once for what it tells, and the whole chain for whether it can be believed. */
export async function reportOf(
  site: TrailPlace,
  filter: Pick<AuditFilter, "since" | "until">,
  now: Date,
): Promise<AuditReport> {
  const [actions, actors] = [new Map<string, number>(), new Map<string, number>()];
  const letters: AuditEntry[] = [];
  let [moreLetters, moreFound] = [0, 0];
  let [entries, from, to] = [0, null as string | null, null as string | null];
  for await (const entry of listAudit(site, filter)) {
    entries += 1;
    from = entry.timestamp;
    to ??= entry.timestamp;
    actions.set(entry.action, (actions.get(entry.action) ?? 0) + 1);
    actors.set(entry.actor, (actors.get(entry.actor) ?? 0) + 1);
    if (!letterActions.has(entry.action)) continue;
    if (letters.length < mostTold) letters.push(entry);
    else moreLetters += 1;
  }
  // Before: what is told as the end of the trail was then judged with it.
  const { sequence, hash } = await readHead(site);
  const found: Found[] = [];
  const verifying = verifyTrail(site, now);
  let step = await verifying.next();
  for (; step.done !== true; step = await verifying.next())
    if (found.length < mostTold) found.push(step.value);
    else moreFound += 1;
  return {
    entries,
    from,
    to,
    actions,
    actors,
    letters,
    moreLetters,
    verification: step.value,
    found,
    moreFound,
    head: { sequence, hash },
  };
}
