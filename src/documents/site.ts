import { tableShape } from "../aws/items.ts";
import type { Aws } from "../aws/clients.ts";
import type { JsonObject } from "../model/json.ts";
import type { TableShape } from "../model/table-shape.ts";
import { publicUrl } from "../model/urls.ts";

/** One change to somebody's documents, for the audit trail. Details hold no contents, links or secrets. */
export interface DocumentChange {
  /** `document.uploaded`, `document.deleted`, ... */
  readonly action: `document.${string}`;
  readonly userId: string;
  readonly details: JsonObject;
}

/** Where the documents of one environment live, and what a change to them needs of the outside. */
export interface DocumentSite {
  readonly aws: Aws;
  /** The private bucket. */
  readonly bucket: string;
  /** The table of the profiles, with the entries. */
  readonly table: string;
  readonly shape: TableShape;
  readonly userPoolId: string | undefined;
  /** Who is at work, as the audit trail names them. */
  readonly actor: string;
  /** Writes several entries of the audit trail in one go; fails where the trail refuses. */
  readonly record: (changes: readonly DocumentChange[]) => Promise<void>;
  readonly now: () => Date;
  /** Random bytes as lower-case hex. */
  readonly randomHex: (bytes: number) => string;
  readonly signal: AbortSignal;
}

/** Completes what is known of a site by its table's shape, which is asked for once. */
export async function openDocumentSite(site: Omit<DocumentSite, "shape">): Promise<DocumentSite> {
  return { ...site, shape: await tableShape(site.aws, site.table, site.signal) };
}

/** `s3Url` of an entry: the object's address without any signature; the bucket is private. */
export function documentUrl(site: DocumentSite, key: string): string {
  const { aws, bucket } = site;
  return publicUrl({ bucket, key, region: aws.region, endpointUrl: aws.endpointUrl });
}
