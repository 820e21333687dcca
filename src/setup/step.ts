import type { Alarm } from "../aws/cloudwatch/alarms.ts";
import type { PolicyDocument } from "../aws/s3/bucket-policy.ts";
import type { Lifecycle, StoredCorsRule } from "../aws/s3/bucket-settings.ts";
import type {
  InventoryOrder,
  PublicAccessBlock,
  TableCapacity,
  TableIndex,
  TableKeys,
} from "../model/declaration.ts";
import type { Row } from "../sql/connection.ts";
import type { RowTable } from "../sql/row-table.ts";

/**
 * | kind    | meaning                                                          | carried out        |
 * |---------|------------------------------------------------------------------|--------------------|
 * | create  | the bucket, table or database is missing                         | always             |
 * | add     | a setting that was never made on it                              | always             |
 * | change  | a setting that was made, and otherwise than declared             | only with `fix`    |
 * | ok      | as declared                                                      | -                  |
 * | note    | worth knowing; nothing to do for this tool                       | -                  |
 * | problem | not as declared, and not for this tool to change: see `remedy`   | -                  |
 */
export type StepKind = "create" | "add" | "change" | "ok" | "note" | "problem";

export type Aspect =
  | "bucket"
  | "public access block"
  | "policy"
  | "ownership"
  | "versioning"
  | "encryption"
  | "lifecycle"
  | "cors"
  | "inventory"
  | "table"
  | "keys"
  | "capacity"
  | "deletion protection"
  | "index"
  | "expiry"
  | "recovery"
  | "database"
  | "migrations"
  | "alarm";

/** One line of the plan: plain data, for a table and for JSON. */
export interface Step {
  readonly resource: "bucket" | "table" | "database" | "alarm";
  readonly name: string;
  /** In a database as its catalogue calls it: `table users`. */
  readonly aspect: Aspect | `${string} ${string}`;
  readonly kind: StepKind;
  /** As it is, in words; missing where there is nothing yet. */
  readonly from?: string;
  /** As it should be, in words; for notes and problems, what was found. */
  readonly to: string;
  /** What is open by an ACL or a public policy today, and uploads that send an ACL, would not go any more. */
  readonly mayCloseOff?: true;
  /** Everything works as it is. */
  readonly isMinor?: true;
  /** What a person can do about a problem; one line. */
  readonly remedy?: string;
  /** The very call that carries the step out. */
  readonly write?: Write;
}

export type Write =
  | { readonly do: "create-bucket" }
  | { readonly do: "write-public-access-block"; readonly block: PublicAccessBlock }
  | {
      readonly do: "write-policy";
      readonly policy: PolicyDocument;
      /** Over plain HTTP: what to write instead where the server takes a demand for TLS at its word. */
      readonly withoutTls?: PolicyDocument;
    }
  | { readonly do: "enforce-ownership" }
  | { readonly do: "enable-versioning" }
  | { readonly do: "enable-encryption" }
  | { readonly do: "write-lifecycle"; readonly lifecycle: Lifecycle }
  | { readonly do: "write-cors"; readonly rules: readonly StoredCorsRule[] }
  | { readonly do: "order-inventory"; readonly order: InventoryOrder }
  | {
      readonly do: "create-table";
      readonly keys: TableKeys;
      readonly indexes: readonly TableIndex[];
      readonly capacity?: TableCapacity;
    }
  | { readonly do: "switch-to-on-demand" }
  | { readonly do: "scale-capacity"; readonly capacity: TableCapacity; readonly indexes: readonly string[] }
  | { readonly do: "protect-from-deletion" }
  | { readonly do: "add-index"; readonly index: TableIndex }
  | { readonly do: "enable-expiry"; readonly attribute: string }
  | { readonly do: "enable-recovery"; readonly days: number }
  | { readonly do: "put-alarm"; readonly alarm: Alarm }
  | DatabaseWrite;

/** In the database of that role. */
export type DatabaseWrite = { readonly role: string } & (
  | { readonly do: "create-database" }
  | { readonly do: "run-statement"; readonly statement: string }
  | { readonly do: "insert-rows"; readonly table: RowTable; readonly rows: readonly Row[] }
);

export type SetupPlan = readonly Step[];

/** The steps that `applySetup` will carry out. */
export function dueSteps(plan: SetupPlan, fix: boolean): Step[] {
  return plan.filter(({ kind }) => kind === "create" || kind === "add" || (fix && kind === "change"));
}
