import type { TrailPlace } from "../audit/place.ts";
import { lockFault } from "../audit/vault.ts";
import { placeOf, verifyTrail } from "../audit/verify.ts";
import { told, type About, type DoctorFinding } from "./finding.ts";

/** Whether the audit trail is as it was written, as `audit verify` finds it: the first fault, or what is left to do. */
export async function auditFindings(site: TrailPlace, now: Date): Promise<DoctorFinding[]> {
  const finding: About = { check: "audit trail", subject: site.table };
  const verifying = verifyTrail(site, now);
  let firstFault: string | undefined;
  for (;;) {
    const step = await verifying.next();
    if (step.done !== true) {
      if ("fault" in step.value) firstFault ??= `${placeOf(step.value)}: ${step.value.what}`;
      continue;
    }
    const { entries, last, anchored, faults, notAnchored, interrupted, expired } = step.value;
    if (firstFault !== undefined)
      return [{ ...finding, ...told("problem", "audit-fault", { fault: firstFault, more: faults - 1 }) }];
    if (interrupted > 0)
      return [{ ...finding, ...told("warning", "audit-interrupted", { changes: interrupted }) }];
    if (notAnchored > 0)
      return [{ ...finding, ...told("warning", "audit-not-anchored", { notAnchored, entries }) }];
    // A site where nothing was changed for seven years has no entry left.
    const message =
      entries > 0
        ? `entry ${last} is the last, anchored`
        : expired > 0
          ? `all ${expired} entries have expired`
          : anchored === null
            ? "not begun: nothing has been changed by this tool yet"
            : "no entries yet, anchored";
    return [{ ...finding, status: "ok", message }];
  }
}

/** Whether the anchors can be locked, where they are to be. */
export async function lockFindings(site: TrailPlace): Promise<DoctorFinding[]> {
  if (site.lock === undefined) return [];
  const finding: About = { check: "audit trail", subject: site.bucket };
  const fault = await lockFault(site);
  return fault === undefined
    ? [{ ...finding, status: "ok", message: `S3 Object Lock can keep anchors (${site.lock})` }]
    : [{ ...finding, ...told("problem", "audit-not-locked", fault) }];
}
