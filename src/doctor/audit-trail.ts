import { readAnchor } from "../audit/anchor.ts";
import { readHead } from "../audit/entries.ts";
import type { AuditSite } from "../audit/site.ts";
import type { Finding } from "./finding.ts";

const remedy = "mawps audit verify tells more; docs/audit-trail.md tells what to do";

/** Whether the audit trail ends where its anchor says. Two reads: `audit verify` looks at every entry. */
export async function auditFindings(site: AuditSite, now: Date): Promise<Finding[]> {
  const finding = { check: "audit trail", subject: site.table };
  // The anchor first: an entry that comes meanwhile is then newer than it, and no problem.
  const anchor = await readAnchor(site);
  const last = await readHead(site);
  if (anchor === undefined && last.sequence === 0) {
    return [{ ...finding, status: "ok", message: "not begun: nothing has been changed by this tool yet" }];
  }
  const known = anchor?.head;
  if (known === undefined) {
    return [{ ...finding, status: "problem", message: "its anchor is missing or damaged", remedy }];
  }
  if (known.sequence > last.sequence) {
    // A site where nothing was changed for seven years has no entry left.
    if (known.ttl > 0 && known.ttl <= now.getTime() / 1000) {
      return [{ ...finding, status: "ok", message: `all ${known.sequence} entries have expired` }];
    }
    const message = `it ends at entry ${last.sequence}, its anchor knows ${known.sequence}`;
    return [{ ...finding, status: "problem", message, remedy }];
  }
  if (last.sequence > known.sequence) {
    const message = `${last.sequence - known.sequence} of ${last.sequence} entries are not anchored yet`;
    return [
      { ...finding, status: "warning", message, remedy: "nothing: the next changing command anchors them" },
    ];
  }
  if (known.hash !== last.hash) {
    const message = `its last entry, ${last.sequence}, is not the one that was anchored`;
    return [{ ...finding, status: "problem", message, remedy }];
  }
  const message =
    last.sequence === 0
      ? "no entries yet, anchored"
      : `entry ${last.sequence} of ${last.timestamp} is the last, anchored`;
  return [{ ...finding, status: "ok", message }];
}
