import type { Aws } from "../aws/clients.ts";
import { serverTime } from "../aws/s3/server-time.ts";
import type { DocumentSite } from "../documents/site.ts";
import { CliError } from "../errors.ts";
import type { Declaration, RetentionRule } from "../model/declaration.ts";
import { referencesOf } from "../model/graph.ts";
import { own } from "../model/json.ts";
import { objectsOf } from "../model/objects.ts";
import type { Entity, Model } from "../model/schema.ts";
import type { Classifier } from "../model/template.ts";
import { dynamodbStore } from "../stores/dynamodb.ts";
import type { EntityStore } from "../stores/store.ts";
import type { Proofs } from "./proven-pictures.ts";
import type { Rules } from "./rules.ts";

/** What retention works on: the site as declared, and the rules at a moment. */
export interface RetentionSite {
  readonly aws: Aws;
  readonly model: Model;
  readonly declaration: Declaration;
  readonly store: EntityStore;
  /** The tables whose rows the rules of their entities are for, or which name files, by their roles. */
  readonly tables: ReadonlyMap<string, { readonly namesFiles: boolean }>;
  /** What the keys of each bucket mean, by its name. */
  readonly files: readonly { readonly bucket: string; readonly kinds: Classifier<string> }[];
  readonly rules: Rules;
  /** How far the local clock is ahead of S3's, in milliseconds; negative when it is behind. */
  readonly clockAheadMs: number;
  readonly signal: AbortSignal;
}

/** A site that keeps its documents in lists of its profiles, and pictures that profiles point to: MAWPS. */
export interface ProfileSite extends RetentionSite {
  readonly documents: DocumentSite;
  readonly proofs: Proofs;
}

export function hasProfiles(site: RetentionSite): site is ProfileSite {
  return "documents" in site;
}

interface Opened {
  readonly aws: Aws;
  readonly model: Model;
  readonly declaration: Declaration;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** A clock this far ahead is wrong, and not only a slow answer. S3 itself refuses requests from 15 minutes on. */
const mostAheadMs = 5 * 60_000;

/**
 * Fixes the moment for which the rules decide: the earlier of the local clock and S3's, so that neither of them being
 * wrong makes anything due too soon.
 * @param profiles what MAWPS has besides; the entities of every other site are what their model says.
 * @throws CliError when S3 does not tell its time.
 */
export async function openRetention<P extends Partial<Pick<ProfileSite, "documents" | "proofs">>>(
  { aws, model, declaration, now, signal }: Opened,
  profiles: P,
): Promise<RetentionSite & P> {
  const bucket = declaration.trail?.bucket ?? declaration.buckets[0]?.name ?? "";
  const theirs = await serverTime(aws, bucket, signal);
  if (theirs === undefined) {
    throw new CliError("the server's answer has no Date: ages cannot be told for sure", {
      hint: "retention needs a server that tells its time, as S3 does",
    });
  }
  const ours = now();
  const at = ours < theirs ? ours : theirs;
  const byModel = "documents" in profiles ? [] : Object.values(model.entities);
  return {
    aws,
    model,
    declaration,
    store: dynamodbStore({ aws, model, declaration, signal }),
    tables: tablesOfRows(model, byModel),
    files: declaration.buckets.flatMap(({ role, name, keptBy }) =>
      "documents" in profiles || keptBy === "site" ? [] : [{ bucket: name, kinds: objectsOf(model, role) }],
    ),
    rules: { byId: new Map(declaration.retention.map((rule) => [rule.id, rule])), at },
    clockAheadMs: ours.getTime() - theirs.getTime(),
    signal,
    ...profiles,
  };
}

/** The tables whose rows retention reads; mawps's own tables have rules that it knows itself. */
function tablesOfRows(model: Model, entities: readonly Entity[]): RetentionSite["tables"] {
  const tables = new Map<string, { readonly namesFiles: boolean }>();
  for (const entity of entities) {
    const { from, expires = [] } = entity;
    if (!("table" in from) || "database" in from || own(model.tables, from.table)?.tool !== undefined)
      continue;
    const namesFiles =
      tables.get(from.table)?.namesFiles === true ||
      referencesOf("", entity).some(({ parentField }) => parentField === undefined);
    if (namesFiles || expires.length > 0) tables.set(from.table, { namesFiles });
  }
  return tables;
}

/** The rule by which S3 itself acts on a bucket; undefined where none of that kind is on. */
export function lifecycleRule(
  { model, declaration, rules }: RetentionSite,
  bucket: string,
  action: "purge" | "abort-upload",
): RetentionRule | undefined {
  const role = declaration.buckets.find(({ name }) => name === bucket)?.role ?? "";
  const ids = own(model.buckets, role)?.lifecycle ?? [];
  return ids.flatMap((id) => rules.byId.get(id) ?? []).find((rule) => rule.action === action);
}

/** Refuses to delete by a clock that is ahead. @throws CliError */
export function assertClock({ clockAheadMs }: RetentionSite): void {
  if (clockAheadMs <= mostAheadMs) return;
  const minutes = Math.round(clockAheadMs / 60_000).toLocaleString("en");
  throw new CliError(`the local clock is ${minutes} minutes ahead of S3's; nothing was deleted`, {
    hint: "set the clock, then run it again",
  });
}

/** The table of a role, by its configured name. */
export function tableOf({ declaration }: RetentionSite, role: string): string {
  const table = declaration.tables.find((each) => each.role === role);
  if (table === undefined) throw new Error(`no table is declared as ${role}`);
  return table.name;
}
