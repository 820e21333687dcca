import type { AuditEvent } from "../model/audit.ts";
import { mostTexts } from "../model/audit-details.ts";
import { isRecord, type JsonObject } from "../model/json.ts";

/** The events that say of these findings that somebody has looked into them, and why they are as they are. */
export function acknowledgements(found: readonly { readonly id: string }[], reason: string): AuditEvent[] {
  const events: AuditEvent[] = [];
  for (let from = 0; from < found.length; from += mostTexts) {
    const steps = found.slice(from, from + mostTexts).map(({ id }) => id);
    events.push({ action: "audit.acknowledged", details: { reason, steps } });
  }
  return events;
}

/** What was acknowledged by entries that the chain goes on behind: one that was written anew acknowledges nothing. */
export class Acknowledgements {
  private seen: { readonly sequence: number; readonly ids: readonly string[] }[] = [];
  private confirmed = new Set<number>();

  see({ action, details }: JsonObject, sequence: number): void {
    if (action !== "audit.acknowledged" || !isRecord(details)) return;
    const { steps } = details;
    if (Array.isArray(steps)) this.seen.push({ sequence, ids: steps.map(String) });
  }

  /** An entry stands behind `previous`; what stands between the two is no part of the chain. */
  follow(previous: number, sequence: number, isContinued: boolean): void {
    this.seen = this.seen.filter((each) => each.sequence <= previous || each.sequence > sequence);
    if (isContinued) this.confirmed.add(previous);
    else this.seen = this.seen.filter((each) => each.sequence !== previous);
    this.confirmed = new Set(
      this.seen.map((each) => each.sequence).filter((each) => this.confirmed.has(each)),
    );
  }

  all(isLastSound: boolean): Set<string> {
    const last = this.seen.at(-1)?.sequence;
    return new Set(
      this.seen
        .filter(({ sequence }) => this.confirmed.has(sequence) || (isLastSound && sequence === last))
        .flatMap(({ ids }) => ids),
    );
  }
}
