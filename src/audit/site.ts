import type { Aws } from "../aws/clients.ts";
import { auditChain } from "../model/audit.ts";

/** Where a trail is kept. */
export interface AuditSite {
  readonly aws: Aws;
  readonly table: string;
  /** The private bucket: the anchor lies there. */
  readonly bucket: string;
  readonly signal?: AbortSignal | undefined;
}

/** A key for each table: another table begins a trail of its own. */
export function anchorKey({ table }: Pick<AuditSite, "table">): string {
  return `audit/${table}/${auditChain}.json`;
}
