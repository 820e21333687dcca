import { trailOf } from "../../audit/place.ts";
import { CliError } from "../../errors.ts";
import { visible } from "../../output/text.ts";
import { configuredSite } from "../../target.ts";
import type { Access } from "../../world.ts";
import type { ErasureSite } from "../../users/erasure-plan.ts";
import type { HoldsSite, HoldSite } from "../../users/hold.ts";
import type { PersonSite } from "../../users/person.ts";
import { accountItems } from "../../model/links.ts";
import { whyNoDocuments } from "../../model/reach.ts";
import { rowSubjects } from "../../model/person-rows.ts";
import type { Accounts, PeopleRows } from "../../stores/person-rows.ts";
import { openDocuments } from "../../documents/site.ts";
import type { Database } from "../../sql/database.ts";
import type { Run } from "../run.ts";
import { openPool } from "./site.ts";

/** Everything in which a person may be found, as configured; accounts in a table are found by the model. */
export async function personSite(run: Run, access: Access): Promise<PersonSite> {
  const { config, world } = run;
  const declaration = configuredSite(config);
  const { keysOnce } = await import("../../users/traces.ts");
  const { signal } = world;
  const aws = await run.aws(access);
  const keysOf = keysOnce({ aws, signal });
  const found = { aws, model: config.site, declaration, keysOf, signal, now: () => world.now() };
  if (config.site.userPool !== true) return { ...found, known: undefined, rows: await rowsOfPeople(run) };
  const accounts = await openPool(run, access);
  return { ...found, known: { ...accounts, documents: await openDocuments(await run.context(access)) } };
}

/** The same with where legal holds are kept. */
export async function holdSite(run: Run, access: Access): Promise<HoldSite> {
  return { ...(await personSite(run, access)), trailPlace: trailOf(await run.context(access)) };
}

/** Where legal holds are kept; people are looked for once somebody asks. */
export async function holdsSite(run: Run, access: Access): Promise<HoldsSite> {
  return { trailPlace: trailOf(await run.context(access)), people: () => holdSite(run, access) };
}

/** What is told where holds are shown by ids alone. */
export function namelessNote({ message }: CliError): string {
  return `nobody can be asked for names: ${visible(message)}`;
}

/** The same with what an erasure needs besides; the repository of the backups where there is one. */
export async function erasureSite(run: Run, access: Access): Promise<ErasureSite> {
  const site = await holdSite(run, access);
  const isOther = site.known === undefined && whyNoDocuments(site.model, "url") === undefined;
  const documents = isOther ? await openDocuments(await run.context(access)) : site.known?.documents;
  const { madeStore } = await import("../backup/repository.ts");
  const rows = site.rows === undefined ? {} : { rows: await rowsOfPeople(run, "and journals") };
  return { ...site, ...rows, store: await madeStore(run, access), documents };
}

/** Undefined where accounts are in a user pool, in a table of DynamoDB, or no rows of a database. @throws CliError (usage) where nobody names its server. */
async function rowsOfPeople(
  run: Run,
  which: "alone" | "and journals" = "alone",
): Promise<PeopleRows | undefined> {
  const { site } = run.config;
  if (site.userPool === true || accountItems(site) !== undefined || rowSubjects(site).length === 0)
    return undefined;
  const roles = new Set(
    Object.values(site.entities).flatMap(({ from, links }) =>
      "database" in from && links !== undefined ? [from.database] : [],
    ),
  );
  const databases = await (await run.databases()).openThere(({ role }) => roles.has(role));
  const [{ peopleRows }, { withJournals }] = await Promise.all([
    import("../../stores/person-rows.ts"),
    import("../../stores/journal-entities.ts"),
  ]);
  if (which === "alone") return peopleRows(site, databases);
  for (const database of databases) await assertJournalsShown(database);
  return peopleRows(await withJournals(site, databases), databases);
}

/** @throws CliError where a migration changes rows, and the account may not know of the journals that have them as they were. */
async function assertJournalsShown({ sql, place, name, engine, migrations }: Database): Promise<void> {
  const [{ sqlMigrations }, { hasRowChanges }, { areJournalsHidden }] = await Promise.all([
    import("../../migrations/sql-files.ts"),
    import("../../migrations/sql-rows.ts"),
    import("../../sql/row-journal.ts"),
  ]);
  const all = sqlMigrations((await migrations?.()) ?? {}, engine);
  if (!all.some(({ migration }) => hasRowChanges(migration, engine))) return;
  if (!(await areJournalsHidden(sql, place))) return;
  throw new CliError(
    `the user may not see the journals of migrations of database ${visible(name)}, which may have rows of the person; nothing was changed`,
    {
      hint: "GRANT SELECT, SHOW VIEW on the whole database, and DELETE on its mawps_journal_… tables, or erase as the owner",
    },
  );
}

/** Where accounts are an entity of the model; undefined where they are in a user pool. */
export async function modelAccounts(run: Run): Promise<Accounts | undefined> {
  const { site } = run.config;
  if (site.userPool === true) return undefined;
  const rows = await rowsOfPeople(run);
  if (rows !== undefined) return rows;
  const { accountsOfTable } = await import("../../users/account-items.ts");
  return accountsOfTable(await personSite(run, "reads"));
}
