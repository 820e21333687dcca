import { CliError, exitCodes } from "../../errors.ts";
import { standings, type Standing } from "../../migrations/choose.ts";
import { localTime } from "../../output/dates.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import { idColumn, stateTone } from "../../output/tones.ts";
import type { Run } from "../run.ts";
import { faultOf, judge } from "./faults.ts";

/** `mawps migrate status` of databases: where the schema is, and what the ledger says of it. */
export async function sqlStatus(run: Run, options: { readonly exitCode?: true }): Promise<void> {
  const [{ atNoVersion, openSqlMigrations, standNow }, { readLock }] = await Promise.all([
    import("../../migrations/sql-site.ts"),
    import("../../migrations/lock.ts"),
  ]);
  const context = await run.context("reads");
  const sites = await openSqlMigrations(context, { proves: false });
  const holder = await readLock({ ...context, migrationsTable: context.tables.migrations });
  const isRunning = holder !== undefined && Date.parse(holder.leaseEnd) > run.world.now().getTime();
  const looked = await Promise.all(
    sites.map(async (site) => {
      const stand = await standNow(site);
      const database = site.database.name;
      const rows = standings(site.registered, stand.states).map((standing) => ({ database, standing }));
      return { site, stand, rows };
    }),
  );
  const rows = looked.flatMap((each) => each.rows);
  await run.printRows(rows.map(rowOf), asText);
  if (isRunning)
    run.note(`${holder.actor} on ${holder.host} is at it since ${localTime(new Date(holder.since))}`);
  for (const { site, stand } of looked) {
    if (!("nearest" in stand.place) || isRunning) continue;
    const { message, details } = atNoVersion(site, stand.place);
    throw new CliError(message, {
      details,
      exitCode: exitCodes.findings,
      hint: "mend the differences by hand, or let `mawps setup` make what is missing of the newest version",
    });
  }
  const faults = [
    ...rows.flatMap(({ standing }) => faultOf(standing, isRunning)),
    ...looked.flatMap(({ site, stand }) =>
      stand.lost.map(
        (id) =>
          `${id} was applied and is not in ${site.database.name}: it is another database, or an older one is back`,
      ),
    ),
  ];
  judge(
    rows.map(({ standing }) => standing),
    { faults, exitCode: options.exitCode === true },
  );
}

interface Placed {
  readonly database: string;
  readonly standing: Standing;
}

function rowOf({ database, standing: { id, status, description, isKnown, isCodeChanged, state } }: Placed) {
  return {
    database,
    migration: id,
    status,
    description,
    isKnown,
    isCodeChanged,
    startedAt: state === undefined || state.startedAt === "" ? null : state.startedAt,
    endedAt: state?.endedAt ?? null,
    by: state?.by ?? null,
    tool: state === undefined || state.tool === "" ? null : state.tool,
    checksum: state?.checksum ?? null,
  };
}

type Row = ReturnType<typeof rowOf>;

function asText(rows: readonly Row[], layout: Layout): Promise<string> {
  const hasSeveral = new Set(rows.map(({ database }) => database)).size > 1;
  return table(
    rows,
    [
      ...(hasSeveral ? [{ title: "DATABASE", cell: ({ database }: Row) => database }] : []),
      idColumn({ title: "MIGRATION", cell: ({ migration }) => migration }),
      {
        title: "STATUS",
        cell: (row) => `${row.status}${row.isCodeChanged ? ", files changed" : ""}`,
        tone: ({ status, isCodeChanged }) => (isCodeChanged ? "bad" : stateTone(status)),
      },
      {
        title: "WHEN",
        cell: (row) => (row.startedAt === null ? "-" : localTime(new Date(row.endedAt ?? row.startedAt))),
      },
      { title: "BY", cell: ({ by }) => by ?? "-", least: 12 },
      { title: "WHAT", cell: ({ description }) => description ?? "-", least: 12 },
    ],
    layout,
  );
}
