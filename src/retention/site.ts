import { heldReason, holdsOf, holdsOfSite, type Hold } from "../audit/holds.ts";
import type { Aws } from "../aws/clients.ts";
import { serverTime } from "../aws/s3/server-time.ts";
import type { Unconnected } from "../context.ts";
import { trailOf } from "../audit/place.ts";
import { openDocuments, type DocumentSite } from "../documents/site.ts";
import { mawpsModel } from "../model/mawps.ts";
import { isInRetention } from "../model/reach.ts";
import { CliError } from "../errors.ts";
import { tableRole } from "../model/database.ts";
import type { Declaration, RetentionRule } from "../model/declaration.ts";
import { referencesOf } from "../model/graph.ts";
import { own } from "../model/json.ts";
import { personalBuckets, type PersonalBucket } from "../model/links.ts";
import { objectsOf } from "../model/objects.ts";
import type { Entity, Model } from "../model/schema.ts";
import type { Classifier } from "../model/template.ts";
import type { Database } from "../sql/database.ts";
import { siteStore, type SiteStore } from "../stores/site-store.ts";
import type { Proofs } from "./proven-pictures.ts";
import type { Rules } from "./rules.ts";

/** What retention works on: the site as declared, and the rules at a moment. */
export interface RetentionSite {
  readonly aws: Aws;
  readonly model: Model;
  readonly declaration: Declaration;
  /** Open. */
  readonly databases: readonly Database[];
  readonly store: SiteStore;
  /** The tables whose rows the rules of their entities are for, or which name files, by `tableRole`. */
  readonly tables: ReadonlyMap<string, RowsOfTable>;
  /** What the keys of each bucket mean, by its name. */
  readonly files: readonly { readonly bucket: string; readonly kinds: Classifier<string> }[];
  /** What the model links to people in each bucket, by its name. */
  readonly personal: ReadonlyMap<string, Pick<PersonalBucket, "ownersIn">>;
  readonly rules: Rules;
  /** Whether the rules decide for a moment to come, by which runs will have done what is due before. */
  readonly isAhead: boolean;
  /** The legal holds of people: as they were when the site was opened, or, while a run goes on, as they were read last. */
  readonly holding: Holding;
  /** How far the local clock is ahead of S3's, in milliseconds; negative when it is behind. */
  readonly clockAheadMs: number;
  readonly signal: AbortSignal;
}

/** What retention reads the rows of a table for. */
export interface RowsOfTable {
  readonly namesFiles: boolean;
  readonly expires: boolean;
  readonly keepsNewest: boolean;
}

export interface Holding {
  /** Whether nobody is held. */
  readonly isEmpty: boolean;
  /** Which holds stand: where it is the same nobody was held or let go. */
  readonly standing: string;
  /** Of whom any of these ids and addresses stands for. */
  of(ids: readonly string[]): readonly Hold[];
}

/** The legal holds of people, as they are now. */
export async function heldPeople(
  site: Pick<RetentionSite, "aws" | "declaration" | "signal">,
): Promise<Holding> {
  return holdingOf(await holdsOfSite(site));
}

/** Pure; answers are remembered. */
export function holdingOf(holds: readonly Hold[]): Holding {
  const ofOne = holdsOf(holds);
  const standing = holds.map(({ sequence }) => sequence).join(" ");
  return { isEmpty: holds.length === 0, standing, of: (ids) => [...new Set(ids.flatMap(ofOne))] };
}

/** What is due or decided of people of whom these are the holds: it stays, with why. Pure. */
export function keptFor<T extends { readonly action: string; readonly reason: string }>(
  holds: readonly Hold[],
  due: T,
): T & { readonly action: "keep" } {
  const known = due.action === "keep" ? [due.reason] : [];
  return { ...due, action: "keep", reason: [...known, heldReason(holds)].join("; ") };
}

/** A site that keeps its documents in lists of its profiles, and pictures that profiles point to: MAWPS. */
export interface ProfileSite extends RetentionSite {
  readonly documents: DocumentSite;
  readonly proofs: Proofs;
}

export function hasProfiles(site: RetentionSite): site is ProfileSite {
  return "documents" in site;
}

/**
 * Opens the site for retention, with the rules as configured and the moment for which they decide: by this machine's clock as well,
 * which a wrong clock of the server does not move. Its databases come first: one whose server nobody names, or names wrongly, ends it
 * before anything else is asked, opened or made.
 * @param until another moment for which they decide instead: only to look ahead or back, never to delete.
 */
export async function openRetention(unconnected: Unconnected, until?: Date): Promise<RetentionSite> {
  const { model, declaration, publicBaseUrl, signal } = unconnected;
  const now = () => unconnected.machineNow();
  const databases = await unconnected.databases(({ role }) => isInRetention(model, role));
  const aws = await unconnected.connect();
  const context = { ...unconnected, aws };
  const opened = { aws, model, declaration, databases, now, until, signal };
  if (model !== mawpsModel) return retentionOf(opened, {});
  const { endpointUrl } = aws;
  return retentionOf(opened, {
    documents: { ...(await openDocuments(context)), now },
    proofs: {
      trail: trailOf(context),
      places: { endpointUrl, publicBaseUrl, publicBucket: context.buckets.publicMedia },
    },
  });
}

interface Opened {
  readonly aws: Aws;
  readonly model: Model;
  readonly declaration: Declaration;
  readonly databases: readonly Database[];
  readonly now: () => Date;
  /** A moment to come for which the rules are to decide, on what is there now: only to look ahead. */
  readonly until?: Date | undefined;
  readonly signal: AbortSignal;
}

/** A clock this far ahead is wrong, and not only a slow answer. S3 itself refuses requests from 15 minutes on. */
const mostAheadMs = 5 * 60_000;

/**
 * Fixes the moment for which the rules decide: the earlier of the local clock and S3's, so that neither of them being
 * wrong makes anything due too soon.
 * @param profiles what MAWPS has besides; the entities of every other site are what their model says.
 * @throws CliError when S3 does not tell its time, and for a database of which not each row that is due can go alone.
 */
export async function retentionOf<P extends Partial<Pick<ProfileSite, "documents" | "proofs">>>(
  { aws, model, declaration, databases, now, until, signal }: Opened,
  profiles: P,
): Promise<RetentionSite & P> {
  const bucket = declaration.trail?.bucket ?? declaration.buckets[0]?.name ?? "";
  const [theirs, holding] = await Promise.all([
    serverTime(aws, bucket, signal),
    heldPeople({ aws, declaration, signal }),
  ]);
  if (theirs === undefined) {
    throw new CliError("the server's answer has no Date: ages cannot be told for sure", {
      hint: "retention needs a server that tells its time, as S3 does",
    });
  }
  const ours = now();
  const present = ours < theirs ? ours : theirs;
  const at = until ?? present;
  const tables = tablesOfRows(model, "documents" in profiles ? [] : Object.values(model.entities));
  const store = siteStore({ aws, model, declaration, databases, signal });
  const due = [...tables].flatMap(([role, { expires }]) => (expires && role.includes(".") ? [role] : []));
  await store.assertDeletesAlone(due);
  return {
    aws,
    model,
    declaration,
    databases,
    store,
    tables,
    files: declaration.buckets.flatMap(({ role, name, keptBy }) =>
      "documents" in profiles || keptBy === "site" ? [] : [{ bucket: name, kinds: objectsOf(model, role) }],
    ),
    personal: new Map(
      personalBuckets(model).flatMap((each) =>
        declaration.buckets.flatMap(({ role, name }) => (role === each.role ? [[name, each]] : [])),
      ),
    ),
    rules: { byId: new Map(declaration.retention.map((rule) => [rule.id, rule])), at },
    isAhead: at > present,
    holding,
    clockAheadMs: ours.getTime() - theirs.getTime(),
    signal,
    ...profiles,
  };
}

/** The tables whose rows retention reads; mawps's own tables have rules that it knows itself. */
function tablesOfRows(model: Model, entities: readonly Entity[]): RetentionSite["tables"] {
  const tables = new Map<string, RowsOfTable>();
  for (const entity of entities) {
    const { from, expires = [] } = entity;
    const role = tableRole(from);
    if (role === undefined || own(model.tables, role)?.tool !== undefined) continue;
    const known = tables.get(role);
    const namesFiles = referencesOf("", entity).some(({ parentField }) => parentField === undefined);
    const keepsNewest = expires.some(({ keepNewest }) => keepNewest !== undefined);
    const made = {
      namesFiles: known?.namesFiles === true || namesFiles,
      expires: known?.expires === true || expires.length > 0,
      keepsNewest: known?.keepsNewest === true || keepsNewest,
    };
    if (made.namesFiles || made.expires) tables.set(role, made);
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
