import type { TableIndex, TableKeys } from "./declaration.ts";

/** What is known of a table in which the tool keeps records of its own, whatever the site. */
interface ToolTable {
  readonly keys: TableKeys;
  readonly indexes: readonly TableIndex[];
  readonly expiryAttribute?: string;
}

/** What these tables are called in every model. */
export const toolRoles = { audit: "auditLog", migrations: "migrations" } as const;

/** The chain of the audit trail's entries in its table. */
export const auditChain = "main";

/** Chains beside it: records of mawps's own that are no entries, whatever a model says, and in nobody's export. */
export const sideChains = { erasures: "erasures", holds: "holds" } as const;

export const toolTables: Readonly<Record<keyof typeof toolRoles, ToolTable>> = {
  audit: {
    // One hash chain, numbered without gaps: a writer puts entry n + 1 on condition that there is none, so two
    // writers cannot fork it, and a Query of the chain is the chronological reading. Other chains have room beside.
    keys: { partition: { name: "chain", type: "S" }, sort: { name: "sequence", type: "N" } },
    indexes: [
      {
        name: "UserId-Timestamp-Index",
        keys: { partition: { name: "userId", type: "S" }, sort: { name: "timestamp", type: "S" } },
      },
      {
        name: "Action-Timestamp-Index",
        keys: { partition: { name: "action", type: "S" }, sort: { name: "timestamp", type: "S" } },
      },
    ],
    // Not `expiresAt`: that is an ISO time in these models, and TTL wants epoch seconds.
    expiryAttribute: "ttl",
  },
  migrations: {
    // A migration's state, lock and journal are entries under its id.
    keys: { partition: { name: "id", type: "S" }, sort: { name: "entry", type: "S" } },
    indexes: [],
  },
};

/** The `id` of the one item of the table of migrations that says who runs them now. */
export const migrationLockId = "lock";
