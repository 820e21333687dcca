import type { Context } from "../context.ts";
import { openDocuments } from "../documents/site.ts";
import { accountItems } from "../model/links.ts";
import { rowSubjects } from "../model/person-rows.ts";
import type { PeopleRows } from "../stores/person-rows.ts";
import type { People } from "./person.ts";
import type { PoolWork } from "./pool.ts";

/** Those of the site, or those that migrations keep as they were as well. */
type WhichRows = "alone" | "and journals";

/** Everything in which a person may be found, as configured; accounts in a table are found by the model. */
export async function openPeople(
  context: Context,
  work: PoolWork,
  which: WhichRows = "alone",
): Promise<People> {
  const { aws, model, declaration, signal } = context;
  const { keysOnce } = await import("./traces.ts");
  const keysOf = keysOnce({ aws, signal });
  const found = { aws, model, declaration, keysOf, signal, now: () => context.now() };
  if (model.userPool !== true)
    return { ...found, known: undefined, rows: await rowsOfPeople(context, which) };
  const { openPool } = await import("./pool.ts");
  return { ...found, known: { ...openPool(context, work), documents: await openDocuments(context) } };
}

/** Undefined where accounts are in a user pool, in a table of DynamoDB, or no rows of a database. @throws CliError (usage) where nobody names its server. */
export async function rowsOfPeople(
  { model, databases: open }: Pick<Context, "model" | "databases">,
  which: WhichRows = "alone",
): Promise<PeopleRows | undefined> {
  if (model.userPool === true || accountItems(model) !== undefined || rowSubjects(model).length === 0)
    return undefined;
  const roles = new Set(
    Object.values(model.entities).flatMap(({ from, links }) =>
      "database" in from && links !== undefined ? [from.database] : [],
    ),
  );
  const databases = await open(({ role }) => roles.has(role));
  const { peopleRows } = await import("../stores/person-rows.ts");
  if (which === "alone") return peopleRows(model, databases);
  const { withJournals } = await import("../stores/journal-entities.ts");
  return peopleRows(await withJournals(model, databases), databases);
}
