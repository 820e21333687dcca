import type { Tell } from "./amount.ts";
import type { Audit } from "./audit/audit.ts";
import type { Aws } from "./aws/clients.ts";
import type { ExplainContext } from "./aws/explain/facts.ts";
import type { BackupSettings } from "./backup/settings.ts";
import type { Here } from "./lease.ts";
import type { Measures, MetricsPlace } from "./metrics/job.ts";
import type { Declaration } from "./model/declaration.ts";
import type { Names } from "./model/mawps.ts";
import type { Model } from "./model/schema.ts";
import type { InventoryPlace } from "./setup/inventory.ts";
import type { Database } from "./sql/database.ts";

/** What a subject works with: one for each command, made by it and handed in. */
export interface Context extends Unconnected {
  readonly aws: Aws;
}

/** The same before the target is opened: what lies in a folder may need nothing of it. */
export interface Unconnected {
  /** Opens the target when it is first asked for. */
  connect(): Promise<Aws>;
  /** What the storage of the site looks like, and the same with its names as configured. */
  readonly model: Model;
  readonly declaration: Declaration;
  /** The declaration of what lies beside the site: buckets and tables with something in front of their names. */
  declarationUnder(prefix: string): Declaration;
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
  readonly backups: BackupSettings;
  /** Where inventories of the buckets go; undefined where none are made. */
  readonly inventory: InventoryPlace | undefined;
  /** Where metrics of the jobs go, and the topic that alarms tell; undefined where none are put. */
  readonly metrics: (MetricsPlace & { readonly topic: string | undefined }) | undefined;
  /** What was asked for, by which failures are explained. */
  readonly explaining: ExplainContext;
  /** By which this target is told from others of its kind. */
  readonly place: readonly (string | undefined)[];
  /** The user's own folder for what programs remember. */
  readonly stateFolder: string;
  /** Of this program. */
  readonly version: string;
  /** This process, as a lease names it. */
  readonly machine: Here;
  /** Who is at work, as the audit trail names them; asks AWS once a run. */
  actor(): Promise<string>;
  /** The account that the credentials belong to; undefined where a server in AWS's place does not tell. Asks AWS once a run. */
  account(): Promise<string | undefined>;
  /**
   * Those databases of the model that are wanted, open.
   * @throws CliError for one that was never made, or (usage) whose server nobody names.
   */
  databases(wants: (declared: { readonly role: string }) => boolean): Promise<readonly Database[]>;
  /**
   * The same, made or not, on request under other names.
   * @throws CliError (usage) for one whose server nobody names.
   */
  databasesNamed(
    wants: (declared: { readonly role: string; readonly name: string }) => boolean,
    naming?: Naming,
  ): Promise<readonly Database[]>;
  /** The server's time, where that differs from this machine's. */
  now(): Date;
  /** By this machine's own clock, right or wrong. */
  machineNow(): Date;
  /** Cryptographically random bytes as lower-case hex. */
  randomHex(bytes: number): string;
  readonly progress: Tell;
  /** What a job tells in its metrics, where the site has them put. */
  measure(measures: Measures): void;
  note(text: string): void;
  warn(text: string): void;
}

/** Another name on the same server: one with something in front, or a wholly different one. */
export interface Naming {
  readonly prefix?: string;
  readonly name?: string;
}
