import { backupChecks } from "./backups.ts";
import { batchChecks } from "./batch.ts";
import type { Check } from "./check.ts";
import { conditionChecks } from "./conditions.ts";
import { exportChecks } from "./exports.ts";
import { indexChecks } from "./indexes.ts";
import { itemChecks } from "./items.ts";
import { limitChecks } from "./limits.ts";
import { protocolChecks } from "./protocol.ts";
import { queryChecks } from "./query.ts";
import { raceChecks } from "./races.ts";
import { recoveryChecks } from "./recovery.ts";
import { scanChecks } from "./scan.ts";
import { settingChecks } from "./settings.ts";
import { tableChecks } from "./tables.ts";
import { transactionChecks } from "./transactions.ts";
import { updateReturnChecks } from "./update-returns.ts";
import { updateChecks } from "./updates.ts";

/** Every check, by theme. */
export const dynamodbChecks: Readonly<Record<string, readonly Check[]>> = {
  tables: tableChecks,
  settings: settingChecks,
  items: itemChecks,
  limits: limitChecks,
  conditions: conditionChecks,
  updates: updateChecks,
  "update returns": updateReturnChecks,
  query: queryChecks,
  indexes: indexChecks,
  scan: scanChecks,
  batches: batchChecks,
  transactions: transactionChecks,
  races: raceChecks,
  backups: backupChecks,
  recovery: recoveryChecks,
  exports: exportChecks,
  protocol: protocolChecks,
};
