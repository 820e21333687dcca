import type { AuditTrail } from "../audit/trail.ts";
import type { Manifest } from "./batch-job.ts";
import { handOverAgain, versionsOf, type HandOver } from "./hand-over.ts";
import type { DueEntry } from "./plan-entry.ts";
import { plannedEntries, type PlanOnDisk } from "./plan-file.ts";
import type { Ready, Skipped } from "./recheck.ts";
import { carryOut, type Failure } from "./run.ts";
import type { RetentionSite } from "./site.ts";
import { takeBack } from "./take-back.ts";

interface Again {
  readonly folder: string;
  readonly plan: PlanOnDisk;
  readonly audit: AuditTrail;
  readonly dryRun: boolean;
  /** Told what was looked at so far, after each group. */
  readonly onDone: (done: number) => void;
}

export interface HandedOverAgain {
  /** The lists as they are now; none in a dry run. */
  readonly manifests: readonly Manifest[];
  /** Versions that are in the lists, in a dry run that would be. */
  readonly listed: number;
  /** What is not due any more, with why. */
  readonly skipped: readonly Skipped[];
  /** Versions that had the tag. */
  readonly untagged: number;
  /** Whose tags could not be looked at or taken off: S3 expires that still. */
  readonly failures: readonly Failure[];
}

/**
 * Looks again at what was handed over: what is held, was brought back or changed since leaves the lists, and loses the tag by which S3 expires it,
 * and so does an object whose entry still goes, where something that stays names it by now.
 * To be called before the jobs are created, and after they ran as often as somebody is held: what S3 has not expired yet stays then.
 */
export async function recheckHandedOver(
  site: RetentionSite,
  { folder, plan, audit, dryRun, onDone }: Again,
): Promise<HandedOverAgain> {
  const staying: DueEntry[] = [];
  let listed = 0;
  const look = (handOver?: HandOver) => {
    const take = async (ready: readonly Ready[]) => {
      staying.push(...ready.flatMap(unlisted));
      listed += ready.flatMap(({ due }) => versionsOf(due)).length;
      return handOver === undefined ? ready : handOver.take(ready);
    };
    return carryOut(site, () => plannedEntries(plan), { dryRun: true, audit, handOver: { take }, onDone });
  };
  const { outcome, manifests } = dryRun
    ? { outcome: await look(), manifests: [] }
    : await handOverAgain(site, { folder, audit }, look);
  const { skipped } = outcome;
  const back = [...skipped.map(({ due }) => due), ...staying];
  const { untagged, failures } = await takeBack(site, back, { audit, dryRun });
  return { manifests, listed, skipped, untagged, failures };
}

/** What the plan has of an entry that still goes, and its list has not: something that stays names the object by now, or it is gone. */
function unlisted({ due, planned }: Ready): DueEntry[] {
  if (planned === undefined || !("versions" in planned) || !("versions" in due)) return [];
  const listed = new Set(due.versions.map(({ version }) => version));
  const versions = planned.versions.filter(({ version }) => !listed.has(version));
  return versions.length === 0 ? [] : [{ ...planned, versions }];
}
