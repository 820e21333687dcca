import type { NoAnswer } from "../aws/anonymous.ts";
import type { CliError } from "../errors.ts";
import type { Watched } from "../setup/alarms.ts";
import type { BackupFacts } from "./backups.ts";
import type { Caller } from "./caller.ts";
import type { DatabaseFacts } from "./databases.ts";
import type { MigrationFacts } from "./migrations.ts";
import type { ScannerFacts } from "./scanner.ts";
import type { ToolFacts } from "./tool.ts";

/** What the examination needs of the outside. */
export interface Outside {
  readonly now: () => Date;
  readonly tool: ToolFacts;
  /** Who the credentials belong to; undefined on the local store, which has no accounts. */
  readonly caller: (() => Promise<Caller>) | undefined;
  /** The backups; undefined where none are configured. */
  readonly backups?: (() => Promise<BackupFacts>) | undefined;
  /** The databases of the site's model; undefined where it has none. */
  readonly databases?: (() => Promise<DatabaseFacts>) | undefined;
  /** The migrations of the site's items; undefined where it has none. */
  readonly migrations?: (() => Promise<MigrationFacts>) | undefined;
  /** Whether `mawps doc` works on this site; by default it does. */
  readonly takesDocuments?: boolean;
  /** The virus scanner; undefined where none is configured. */
  readonly scanner: (() => Promise<ScannerFacts>) | undefined;
  /** A GET as anybody out there would send it, without credentials. Any status is an answer; that none came is a fact like others. */
  readonly anonymousGet: (url: string) => Promise<AnonymousAnswer>;
  /** An error of a call in words; undefined for what is no error of AWS, the network or the user. */
  readonly explain: (error: unknown) => CliError | undefined;
  /** What alarms are to watch; undefined where no metrics are put. */
  readonly alarms?: Watched | undefined;
  /** Namespace of metrics that only the local store keeps. */
  readonly unwatchedMetrics?: string | undefined;
  /** What stands in front of the public bucket. */
  readonly publicBaseUrl?: string;
  readonly signal: AbortSignal;
}

/** Names of headers in lower case. */
export type AnonymousAnswer =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | NoAnswer;
