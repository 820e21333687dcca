import type { Audit } from "../audit/audit.ts";
import { tableShape } from "../aws/dynamodb/items.ts";
import type { Aws } from "../aws/clients.ts";
import { stoppable } from "../concurrency.ts";
import type { Context } from "../context.ts";
import { mawpsModel } from "../model/mawps.ts";
import type { TableShape } from "../model/table-shape.ts";
import { publicUrl } from "../model/urls.ts";
import { uuid } from "../model/uuid.ts";
import type { DocumentRows } from "./row-model.ts";

/** Where the documents of one environment live. */
export interface DocumentSite {
  readonly aws: Aws;
  /** The private bucket. */
  readonly bucket: string;
  /** The bucket of the website's uploads of today: read, never written. */
  readonly uploadsBucket: string;
  /** The table of the profiles, with the entries. */
  readonly table: string;
  /** The table in which the website's documents-api keeps entries; not every site has it. */
  readonly apiTable: string;
  /** The tool's own table, of migrations and of entries that were removed. */
  readonly ownTable: string;
  readonly shape: TableShape;
  readonly userPoolId: string | undefined;
  /** Where the site keeps a row for each document: of the places above `bucket` counts alone then. */
  readonly rows?: DocumentRows | undefined;
  /** Makes an id for somebody without an account; only where no website gives out ids of its own. */
  readonly newId?: (() => string) | undefined;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** A site with what changing it needs besides. */
export interface ChangingSite extends DocumentSite {
  /** Who is at work, as the audit trail names them. */
  readonly actor: string;
  readonly audit: Audit;
  /** Random bytes as lower-case hex. */
  readonly randomHex: (bytes: number) => string;
}

/** Completes a site by its table's shape, which is asked for once a run. */
export async function openDocumentSite<T extends Omit<DocumentSite, "shape">>(
  site: T,
): Promise<T & Pick<DocumentSite, "shape">> {
  const shape =
    site.rows === undefined
      ? await tableShape(site.aws, site.table, site.signal)
      : ({ kind: "simple" } as const);
  return { ...site, shape };
}

/** The documents of the site, by its model. */
export async function openDocuments(context: Context): Promise<DocumentSite> {
  return openDocumentSite(await placeOf(context));
}

/** The same with a first look, which waits for nothing: `openWithLook` tells what it may do. */
export async function openDocumentsWith<Seen>(
  context: Context,
  look: (site: DocumentSite) => Promise<Seen>,
): Promise<Looked<DocumentSite, Seen>> {
  return openWithLook(await placeOf(context), look);
}

/**
 * The documents of the site, to change them; rejects when the audit trail cannot be written.
 * @param opened the site, where it was looked at before: what was looked at is changed next, which announces itself.
 */
export async function changeDocuments(context: Context, opened?: DocumentSite): Promise<ChangingSite> {
  if (opened !== undefined) return { ...opened, ...(await handsOf(context, opened, await context.actor())) };
  const { site } = await changing(context, async () => ({ site: await openDocuments(context) }));
  return site;
}

/** The same with a first look. What it fails for is told before what the trail does. */
export async function changeDocumentsWith<Seen>(
  context: Context,
  look: (site: DocumentSite) => Promise<Seen>,
): Promise<Looked<ChangingSite, Seen>> {
  return changing(context, () => openDocumentsWith(context, look));
}

interface Looked<Site, Seen> {
  readonly site: Site;
  readonly seen: Seen;
}

async function changing<Opened extends { readonly site: DocumentSite }>(
  context: Context,
  open: () => Promise<Opened>,
): Promise<Opened & { readonly site: ChangingSite }> {
  const [audited, actor] = [context.audit.open(), context.actor()];
  actor.catch(() => undefined);
  const opened = await open();
  await audited;
  return { ...opened, site: { ...opened.site, ...(await handsOf(context, opened.site, await actor)) } };
}

/** What changing needs besides. */
async function handsOf(
  context: Context,
  { rows }: DocumentSite,
  actor: string,
): Promise<Omit<ChangingSite, keyof DocumentSite>> {
  const randomHex = (bytes: number) => context.randomHex(bytes);
  return { actor, audit: await auditOf(context, rows), randomHex };
}

/** The trail as it tells of documents of the site. */
export async function auditOf(
  { audit }: Pick<Context, "audit">,
  rows: DocumentRows | undefined,
): Promise<Audit> {
  if (rows === undefined || rows.attachments.length === 0) return audit;
  return (await import("./owner-audit.ts")).auditOfOwners(rows, audit);
}

/** Where the documents of the site are. */
async function placeOf(context: Context): Promise<Omit<DocumentSite, "shape">> {
  const { aws, model, declaration, signal } = context;
  if (model === mawpsModel) return profilesOf(context);
  const [{ documentRows }, { documentDatabase }] = await Promise.all([
    import("./row-model.ts"),
    import("../stores/document-store.ts"),
  ]);
  const database = documentDatabase(model);
  const databases = database === undefined ? [] : await context.databases(({ role }) => role === database);
  const rows = documentRows({ aws, model, declaration, databases, signal });
  const none = { uploadsBucket: "", table: "", apiTable: "", ownTable: "", userPoolId: undefined };
  return { aws, rows, bucket: rows.bucket, ...none, now: () => context.now(), signal };
}

/** Where MAWPS has them: in its profiles. */
export function profilesOf(context: Context): Omit<DocumentSite, "shape"> {
  const { aws, buckets, tables, declaration, target, signal } = context;
  return {
    aws,
    bucket: buckets.userFiles,
    uploadsBucket: buckets.profileImages,
    table: tables.userProfiles,
    apiTable: tables.userDocuments,
    ownTable: tables.migrations,
    userPoolId: declaration.userPool?.id,
    // At AWS an id is a sub, which only an account brings; nobody signs up on a local store.
    newId: target === "local" ? () => uuid(context.randomHex(16)) : undefined,
    now: () => context.now(),
    signal,
  };
}

/**
 * Completes a site, and takes a first look through it meanwhile: as if its table had the keys of the live one. A table of
 * other keys refuses that, and is looked at again. A look reads and changes nothing.
 */
async function openWithLook<T extends Omit<DocumentSite, "shape">, Seen>(
  site: T,
  look: (site: T & Pick<DocumentSite, "shape">) => Promise<Seen>,
): Promise<Looked<T & Pick<DocumentSite, "shape">, Seen>> {
  const { signal, stop } = stoppable(site.signal);
  const early = look({ ...site, signal, shape: { kind: "simple" } });
  early.catch(() => undefined);
  const opened = await openDocumentSite(site);
  if (opened.shape.kind === "simple") return { site: opened, seen: await early };
  stop();
  await early.catch(() => undefined);
  return { site: opened, seen: await look(opened) };
}

/** Of an entry: the object's address without any signature; the bucket is private. */
export function documentUrl({ aws, bucket }: DocumentSite, key: string): string {
  return publicUrl({ bucket, key, region: aws.region, endpointUrl: aws.endpointUrl });
}
