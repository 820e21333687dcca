import type { Tell } from "./amount.ts";
import type { Audit } from "./audit/audit.ts";
import type { Aws } from "./aws/clients.ts";
import type { Declaration } from "./model/declaration.ts";
import type { Names } from "./model/mawps.ts";

/** What a subject works with: one for each command, made by it and handed in. */
export interface Context {
  readonly aws: Aws;
  /** What the storage of the site looks like. */
  readonly model: Declaration;
  /** Names of the buckets and tables, by their roles. */
  readonly buckets: Names["buckets"];
  readonly tables: Names["tables"];
  /** What stands in front of the public bucket, such as a CDN. */
  readonly publicBaseUrl: string | undefined;
  /** Nothing is to be changed. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly audit: Audit;
  now(): Date;
  /** Cryptographically random bytes as lower-case hex. */
  randomHex(bytes: number): string;
  readonly progress: Tell;
  note(text: string): void;
  warn(text: string): void;
}
