import type { Audit } from "../audit/audit.ts";
import type { Told } from "../audit/commit.ts";
import type { AuditEvent } from "../model/audit.ts";
import { own } from "../model/json.ts";
import { attachmentRow } from "./row-accounts.ts";
import { attachmentIn, ownerSubject, type DocumentRows } from "./row-model.ts";

/**
 * Whom the trail names for a user's id: whose what documents are attached to is, where that is called instead of somebody. What is
 * nobody's by now, and every other id, stays as it is.
 */
export async function namedInTrail(rows: DocumentRows, userId: string): Promise<string> {
  const attached = attachmentIn(rows, userId);
  if (attached === undefined) return userId;
  const { links = [] } = own(rows.model.entities, attached.attachment.entity) ?? {};
  const subject = ownerSubject(rows);
  const by = links.flatMap((link) =>
    link.subject === subject && link.role === "subject" && typeof link.by === "string" ? [link.by] : [],
  )[0];
  const thing = await attachmentRow(rows, userId);
  const owner = own(thing?.fields ?? {}, by ?? "");
  return typeof owner === "string" && owner !== "" ? owner : userId;
}

/** The same trail, in which what happens to documents that are attached to something is told of whoever that is about. */
export function auditOfOwners(rows: DocumentRows, audit: Audit): Audit {
  const owners = new Map<string, string>();
  const named = (event: AuditEvent): AuditEvent => ({
    ...event,
    userId: event.userId && (owners.get(event.userId) ?? event.userId),
  });
  const namedAll = async (told: Told): Promise<readonly AuditEvent[]> => {
    const events = [told].flat();
    for (const { userId = "" } of events)
      if (userId !== "" && !owners.has(userId)) owners.set(userId, await namedInTrail(rows, userId));
    return events.map(named);
  };
  const outcomeOf = <T>(outcome: Parameters<typeof audit.change<T>>[2]): typeof outcome =>
    outcome &&
    ((result) => {
      const told = outcome(result);
      return Array.isArray(told) ? (told as readonly AuditEvent[]).map(named) : told;
    });
  return {
    prepare: () => audit.prepare(),
    open: () => audit.open(),
    settle: () => audit.settle(),
    record: async (told) => audit.record(await namedAll(told)),
    change: async (told, act, outcome) => audit.change(await namedAll(told), act, outcomeOf(outcome)),
    irreversible: async (told, act, outcome) =>
      audit.irreversible(await namedAll(told), act, outcomeOf(outcome)),
  };
}
