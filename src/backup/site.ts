import type { AuditTrail } from "../audit/trail.ts";
import type { Aws } from "../aws/clients.ts";
import type { Declaration } from "../model/declaration.ts";
import type { Repository } from "./repository.ts";

/** What a backup is made from, and restored to. */
export interface BackupSite {
  readonly aws: Aws;
  readonly declaration: Declaration;
  readonly repository: Repository;
  readonly target: "local" | "aws";
  /** Folder for temporary files that only their owner can read. */
  readonly spool: string;
  readonly audit: AuditTrail;
  readonly signal: AbortSignal;
  now(): Date;
  randomHex(bytes: number): string;
}

/** The same site, whose work ends with another signal. */
export function withSignal(site: BackupSite, signal: AbortSignal): BackupSite {
  return { ...site, now: () => site.now(), randomHex: (bytes) => site.randomHex(bytes), signal };
}
