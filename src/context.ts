import type { Tell } from "./amount.ts";
import type { Audit } from "./audit/audit.ts";
import type { Aws } from "./aws/clients.ts";
import type { Here } from "./lease.ts";
import type { Declaration } from "./model/declaration.ts";
import type { Names } from "./model/mawps.ts";
import type { Model } from "./model/schema.ts";
import type { Database } from "./sql/database.ts";

/** What a subject works with: one for each command, made by it and handed in. */
export interface Context {
  readonly aws: Aws;
  /** What the storage of the site looks like, and the same with its names as configured. */
  readonly model: Model;
  readonly declaration: Declaration;
  /** Names of the buckets and tables, by their roles. */
  readonly buckets: Names["buckets"];
  readonly tables: Names["tables"];
  /** What stands in front of the public bucket, such as a CDN. */
  readonly publicBaseUrl: string | undefined;
  /** Nothing is to be changed. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly audit: Audit;
  readonly target: "local" | "aws";
  /** This process, as a lease names it. */
  readonly machine: Here;
  /** Who is at work, as the audit trail names them; asks AWS once a run. */
  actor(): Promise<string>;
  /**
   * Those databases of the model that are wanted, open.
   * @throws CliError for one that was never made, or (usage) whose server nobody names.
   */
  databases(wants: (declared: { readonly role: string }) => boolean): Promise<readonly Database[]>;
  /** The server's time, where that differs from this machine's. */
  now(): Date;
  /** By this machine's own clock, right or wrong. */
  machineNow(): Date;
  /** Cryptographically random bytes as lower-case hex. */
  randomHex(bytes: number): string;
  readonly progress: Tell;
  note(text: string): void;
  warn(text: string): void;
}
