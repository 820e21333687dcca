import type { AuditEvent } from "../model/audit.ts";
import { mostTexts } from "../model/audit-details.ts";
import type { Found } from "./verify.ts";

/** The events that say of these findings that somebody has looked into them, and why they are as they are. */
export function acknowledgements(found: readonly Found[], reason: string): AuditEvent[] {
  const events: AuditEvent[] = [];
  for (let from = 0; from < found.length; from += mostTexts) {
    const steps = found.slice(from, from + mostTexts).map(({ id }) => id);
    events.push({ action: "audit.acknowledged", details: { reason, steps } });
  }
  return events;
}
