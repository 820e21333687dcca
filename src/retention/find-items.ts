import { fingerprint } from "../aws/dynamodb/fingerprint.ts";
import { itemSizeBytes } from "../aws/dynamodb/item-size.ts";
import { queryItems } from "../aws/dynamodb/items.ts";
import { pagesWhereThere } from "../aws/setting.ts";
import { auditChain } from "../model/tool-tables.ts";
import { own, timeOf } from "../model/json.ts";
import { twinTable } from "../model/feature-places.ts";
import { twinHistoryVersion, twinType } from "../model/twin.ts";
import { ownerId } from "../model/user-id.ts";
import type { Noticed } from "./find-documents.ts";
import type { PlanEntry, TwinVersionDue } from "./plan-entry.ts";
import { day, agesOf } from "./rules.ts";
import { tableOf, type ProfileSite, type RetentionSite } from "./site.ts";

/** Earlier states of the digital twin beyond the newest that are kept; as many of them are in memory. */
export async function* findTwinHistory(site: ProfileSite, noticed: Noticed): AsyncGenerator<TwinVersionDue> {
  const { rules, documents } = site;
  const rule = rules.byId.get("twin-history");
  if (rule === undefined) return;
  const keep = rule.keepNewest ?? 0;
  const twin = own(site.model.entities, site.model.features?.twin?.entity ?? "");
  const since = twin?.expires?.find(({ id }) => id === rule.id)?.since ?? "updatedAt";
  // With composite keys the twin is beside the profiles.
  const role = documents.shape.kind === "composite" ? undefined : twinTable(site.model);
  const table = role === undefined ? documents.table : tableOf(site, role);
  const window: TwinVersionDue[] = [];
  const pages = queryItems(site.aws, {
    table,
    partition: { attribute: "userId", value: { S: ownerId } },
    sort: { attribute: "type", beginsWith: { S: `${twinType}#v` } },
    consistent: true,
    signal: site.signal,
  });
  for await (const page of pagesWhereThere(pages)) {
    for (const item of page) {
      const type = item["type"]?.S ?? "";
      if (twinHistoryVersion(type) === undefined) continue;
      noticed.there += 1;
      const savedMs = timeOf(item[since]?.S ?? item["updatedAt"]?.S);
      window.push({
        kind: "twin-version",
        action: "purge",
        rule: rule.id,
        by: rule.by,
        reason: `${keep} newer states are kept${savedMs === undefined ? "" : `; kept since ${day(savedMs)}`}`,
        userId: ownerId,
        table,
        item: { userId: ownerId, type },
        bytes: itemSizeBytes(item),
        ...agesOf({ rule, sinceMs: savedMs ?? rules.at.getTime() }, rules),
        sha256: fingerprint(item),
      });
      const oldest = window.length > keep ? window.shift() : undefined;
      if (oldest !== undefined) yield oldest;
    }
  }
}

/** Entries of the audit trail whose life is over and that DynamoDB's TTL, which takes days, has still to remove. */
export async function* findAuditEntries(site: RetentionSite): AsyncGenerator<PlanEntry> {
  const { rules, aws, signal } = site;
  const rule = rules.byId.get("audit-entries");
  const table = site.declaration.trail?.table;
  if (rule === undefined || table === undefined) return;
  const pages = queryItems(aws, {
    table,
    partition: { attribute: "chain", value: { S: auditChain } },
    signal,
  });
  for await (const page of pagesWhereThere(pages)) {
    for (const item of page) {
      const endMs = 1000 * Number(item["ttl"]?.N ?? Number.NaN);
      // Ends of life never go back along the chain: behind the first that is alive all are.
      if (!(endMs <= rules.at.getTime())) return;
      const writtenMs = timeOf(item["timestamp"]?.S) ?? endMs;
      yield {
        kind: "audit-entry",
        action: "expire",
        rule: rule.id,
        by: rule.by,
        reason: `its life ended on ${day(endMs)}; DynamoDB's TTL removes it`,
        userId: item["userId"]?.S ?? null,
        table,
        item: { chain: auditChain, sequence: Number(item["sequence"]?.N) },
        bytes: itemSizeBytes(item),
        ...agesOf({ rule, sinceMs: writtenMs, endsAtMs: endMs }, rules),
      };
    }
  }
}
