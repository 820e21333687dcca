import type { Audit } from "../audit/audit.ts";
import { tableShape } from "../aws/dynamodb/items.ts";
import type { Aws } from "../aws/clients.ts";
import { stoppable } from "../concurrency.ts";
import type { TableShape } from "../model/table-shape.ts";
import { publicUrl } from "../model/urls.ts";
import type { DocumentRows } from "./rows.ts";

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

/**
 * Completes a site, and takes a first look through it meanwhile: as if its table had the keys of the live one. A table of
 * other keys refuses that, and is looked at again. A look reads and changes nothing.
 */
export async function openWithLook<T extends Omit<DocumentSite, "shape">, Seen>(
  site: T,
  look: (site: T & Pick<DocumentSite, "shape">) => Promise<Seen>,
): Promise<{ readonly site: T & Pick<DocumentSite, "shape">; readonly seen: Seen }> {
  const { signal, stop } = stoppable(site.signal);
  const early = look({ ...site, signal, shape: { kind: "simple" } });
  early.catch(() => undefined);
  const opened = await openDocumentSite(site);
  if (opened.shape.kind === "simple") return { site: opened, seen: await early };
  stop();
  await early.catch(() => undefined);
  return { site: opened, seen: await look(opened) };
}

/** `s3Url` of an entry: the object's address without any signature; the bucket is private. */
export function documentUrl({ aws, bucket }: DocumentSite, key: string): string {
  return publicUrl({ bucket, key, region: aws.region, endpointUrl: aws.endpointUrl });
}
