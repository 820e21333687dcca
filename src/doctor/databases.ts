import type { Declaration } from "../model/declaration.ts";
import type { Step } from "../setup/step.ts";
import { needlessIndexes, type Catalogue, type NeedlessIndex } from "../sql/catalogue.ts";
import { logSettings } from "../sql/binary-log.ts";
import type { Database } from "../sql/database.ts";
import { withoutTwins } from "../sql/partition-twin.ts";
import type { Finding } from "./finding.ts";
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
): Finding[] {
  return [...resourceFindings(steps, declaration), ...examined.flatMap(closer)];
}

function closer({ name, needless, undeclared, log }: ExaminedDatabase): Finding[] {
  const finding = { check: "database", subject: name };
  const warning = { ...finding, status: "warning" as const };
  return [
    ...needlessFindings(needless).map((each) => ({ ...warning, ...each })),
    ...undeclared.map((table) => ({
      ...warning,
      message: `table ${table} is no entity of the model: no export and no erasure of a person reaches it`,
      remedy: "give it an entity with whose it is, or why it is nobody's",
    })),
    ...(log === undefined ? [] : logFindings(log).map((each) => ({ ...warning, ...each }))),
  ];
}

const remedy = "a migration that drops what no statement needs makes every write cheaper";

function needlessFindings(needless: readonly NeedlessIndex[]): Pick<Finding, "message" | "remedy">[] {
  const same = needless.filter(({ isSame }) => isSame);
  const shorter = needless.filter(({ isSame }) => !isSame).map(({ index }) => index);
  return [
    ...same.map(({ index, by }) => ({ message: `index ${index} is the same as ${by}`, remedy })),
    ...(shorter.length === 0
      ? []
      : [{ message: `the columns of ${shorter.join(", ")} begin a longer index too`, remedy }]),
  ];
}

function logFindings(log: ReadonlyMap<string, string>): Pick<Finding, "message" | "remedy">[] {
  if (log.get("log_bin") === "OFF") {
    return [
      {
        message: "the server keeps no binary log: nothing leads back to a point in time between two backups",
        remedy: "log_bin in the server's configuration, with binlog_format = ROW",
      },
    ];
  }
  const format = log.get("binlog_format") ?? "";
  const days = Number(log.get("binlog_expire_logs_seconds") ?? 0) / 86_400;
  return [
    ...(format === "ROW"
      ? []
      : [
          {
            message: `binlog_format is ${format}: what a statement did may not be found out again`,
            remedy: "binlog_format = ROW in the server's configuration",
          },
        ]),
    ...(days === 0 || days >= leastLogDays
      ? []
      : [
          {
            message: `the binary log is kept for ${Math.floor(days)} days: fewer than ${leastLogDays}`,
            remedy: `binlog_expire_logs_seconds = ${leastLogDays * 86_400} in the server's configuration`,
          },
        ]),
  ];
}
