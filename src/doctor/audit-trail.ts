import type { TrailPlace } from "../audit/place.ts";
import { lockFault } from "../audit/vault.ts";
import { placeOf, verifyTrail } from "../audit/verify.ts";
import type { Finding } from "./finding.ts";

const remedy = "mawps audit verify tells more; docs/audit-trail.md tells what to do";

/** Whether the audit trail is as it was written, as `audit verify` finds it: the first fault, or what is left to do. */
export async function auditFindings(site: TrailPlace, now: Date): Promise<Finding[]> {
  const finding = { check: "audit trail", subject: site.table };
  const verifying = verifyTrail(site, now);
  let firstFault: string | undefined;
  for (;;) {
    const step = await verifying.next();
    if (step.done !== true) {
      if ("fault" in step.value) firstFault ??= `${placeOf(step.value)}: ${step.value.what}`;
      continue;
    }
    const { entries, last, anchored, faults, notAnchored, interrupted, expired } = step.value;
    if (firstFault !== undefined) {
      const others = faults === 1 ? "" : `, and ${faults - 1} more`;
      return [{ ...finding, status: "problem", message: `${firstFault}${others}`, remedy }];
    }
    if (interrupted > 0) {
      const message =
        interrupted === 1
          ? "1 announced change has no outcome: it was interrupted, or is under way"
          : `${interrupted} announced changes have no outcome: they were interrupted, or are under way`;
      return [{ ...finding, status: "warning", message, remedy }];
    }
    if (notAnchored > 0) {
      const message = `${notAnchored} of ${entries} entries are not anchored yet`;
      return [
        { ...finding, status: "warning", message, remedy: "nothing: the next changing command anchors them" },
      ];
    }
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
export async function lockFindings(site: TrailPlace): Promise<Finding[]> {
  if (site.lock === undefined) return [];
  const finding = { check: "audit trail", subject: site.bucket };
  const fault = await lockFault(site);
  return fault === undefined
    ? [{ ...finding, status: "ok", message: `S3 Object Lock can keep anchors (${site.lock})` }]
    : [{ ...finding, status: "problem", ...fault }];
}
