import type { Declaration } from "../model/declaration.ts";
import type { Step } from "../setup/step.ts";
import { needlessIndexes, type Catalogue, type NeedlessIndex } from "../sql/catalogue.ts";
import { logSettings } from "../sql/binary-log.ts";
import type { Database } from "../sql/database.ts";
import { withoutTwins } from "../sql/partition-twin.ts";
import { told, type DoctorFinding } from "./finding.ts";
import { resourceFindings } from "./resources.ts";

/** What is known of the databases of a site. */
export interface DatabaseFacts {
  /** What setup would do. */
  readonly steps: readonly Step[];
  readonly examined: readonly ExaminedDatabase[];
  readonly unreadable: readonly { readonly name: string; readonly error: unknown }[];
}

export interface ExaminedDatabase {
  readonly name: string;
  readonly needless: readonly NeedlessIndex[];
  /** Tables of no entity: no export and no erasure of a person reaches them. */
  readonly undeclared: readonly string[];
  /** Variables of MySQL's binary log, by name; undefined where the engine has none. */
  readonly log: ReadonlyMap<string, string> | undefined;
}

/** Looks at what setup does not care for. @param tables those that the model's entities are in. */
export async function examineDatabase(
  { sql, name, engine, isThere }: Database,
  catalogue: Catalogue,
  tables: ReadonlySet<string>,
): Promise<ExaminedDatabase> {
  const undeclared = [...withoutTwins(catalogue).keys()]
    .filter((fact) => fact.startsWith("table "))
    .map((fact) => fact.slice("table ".length))
    .filter((table) => !tables.has(table));
  const log = isThere && engine === "mysql" ? await logSettings(sql) : undefined;
  return { name, needless: needlessIndexes(catalogue), undeclared, log };
}

const leastLogDays = 7;

/** The databases as findings. Pure. */
export function databaseFindings(
  { steps, examined }: Pick<DatabaseFacts, "steps" | "examined">,
  declaration: Declaration,
): DoctorFinding[] {
  return [...resourceFindings(steps, declaration), ...examined.flatMap(closer)];
}

function closer({ name, needless, undeclared, log }: ExaminedDatabase): DoctorFinding[] {
  return [
    ...needlessFindings(needless),
    ...undeclared.map((table) => told("warning", "database-undeclared", { table })),
    ...(log === undefined ? [] : logFindings(log)),
  ].map((each) => ({ check: "database", subject: name, ...each }));
}

function needlessFindings(needless: readonly NeedlessIndex[]) {
  const same = needless.filter(({ isSame }) => isSame);
  const indexes = needless.filter(({ isSame }) => !isSame).map(({ index }) => index);
  return [
    ...same.map(({ index, by }) => told("warning", "database-index-same", { index, by })),
    ...(indexes.length === 0 ? [] : [told("warning", "database-index-shorter", { indexes })]),
  ];
}

function logFindings(log: ReadonlyMap<string, string>) {
  if (log.get("log_bin") === "OFF") return [told("warning", "database-log-off")];
  const format = log.get("binlog_format") ?? "";
  const days = Number(log.get("binlog_expire_logs_seconds") ?? 0) / 86_400;
  return [
    ...(format === "ROW" ? [] : [told("warning", "database-log-format", { format })]),
    ...(days === 0 || days >= leastLogDays
      ? []
      : [told("warning", "database-log-short", { days: Math.floor(days), least: leastLogDays })]),
  ];
}
