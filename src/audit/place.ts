import type { Aws } from "../aws/clients.ts";
import { CliError, exitCodes } from "../errors.ts";
import { auditChain } from "../model/tool-tables.ts";
import type { Declaration, ObjectLockMode } from "../model/declaration.ts";

/** Where a trail is kept. */
export interface TrailPlace {
  readonly aws: Aws;
  readonly table: string;
  /** The private bucket: anchors and claims lie there, out of reach of who may change the table alone. */
  readonly bucket: string;
  /** How each anchor that is kept is locked until its entry ends; by default as the bucket has it. */
  readonly lock?: ObjectLockMode;
  readonly signal?: AbortSignal;
}

/**
 * Of the site's own trail.
 * @throws CliError where the model has none.
 */
export function trailOf({
  aws,
  declaration,
  signal,
}: Pick<TrailPlace, "aws" | "signal"> & { readonly declaration: Declaration }): TrailPlace {
  const { name, trail } = declaration;
  if (trail !== undefined) return { aws, ...trail, signal };
  throw new CliError(`the model of ${name} has no table for the audit trail`, {
    exitCode: exitCodes.usage,
    hint: 'add one with "tool": "audit" and "anchors", or write "audit": "off" in the configuration',
  });
}

type Table = Pick<TrailPlace, "table">;

/** A folder for each table: another table begins a trail of its own. */
export function trailPrefix({ table }: Table): string {
  return `audit/${table}/`;
}

/** The anchor that writers read and move forward. */
export function anchorKey(site: Table): string {
  return `${trailPrefix(site)}${auditChain}.json`;
}

/** Each anchor once more under a key of its own, which nothing ever replaces, so that no lifecycle expires it. */
export function keptAnchorKey(site: Table, { sequence, hash }: { sequence: number; hash: string }): string {
  return `${trailPrefix(site)}anchors/${String(sequence).padStart(16, "0")}-${hash}.json`;
}

/** Place and hash that the key of a kept anchor tells; undefined for other keys. */
export function keptAnchorOf(site: Table, key: string): { sequence: number; hash: string } | undefined {
  const prefix = `${trailPrefix(site)}anchors/`;
  const found = key.startsWith(prefix)
    ? /^(\d{16})-([0-9a-f]{64})\.json$/.exec(key.slice(prefix.length))
    : null;
  return found === null ? undefined : { sequence: Number(found[1]), hash: found[2] ?? "" };
}

/** What the run that signs as `writer` announced. */
export function claimKey(site: Table, writer: string): string {
  return `${trailPrefix(site)}claims/${writer}.json`;
}

/** The writer whose claim lies at the key; undefined for other keys. */
export function claimWriterOf(site: Table, key: string): string | undefined {
  const prefix = `${trailPrefix(site)}claims/`;
  return key.startsWith(prefix) ? /^([0-9a-f]{64})\.json$/.exec(key.slice(prefix.length))?.[1] : undefined;
}
