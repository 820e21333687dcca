import type { Aws } from "../aws/clients.ts";
import type { Declaration } from "../model/declaration.ts";
import { tableRole } from "../model/database.ts";
import { own } from "../model/json.ts";
import type { Model } from "../model/schema.ts";
import type { Database } from "../sql/database.ts";
import { dynamodbStore } from "./dynamodb.ts";
import { peopleRows, type PeopleRows } from "./person-rows.ts";
import { sqlStore } from "./sql.ts";
import type { EntityStore } from "./store.ts";

export interface DocumentPlace {
  readonly aws: Aws;
  readonly model: Model;
  readonly declaration: Declaration;
  /** Open: that which `documentDatabase` names. */
  readonly databases: readonly Database[];
  readonly signal: AbortSignal;
}

export interface DocumentStore {
  readonly store: EntityStore;
  /** Where accounts are rows too: who has this id or address. */
  readonly accounts: PeopleRows["accounts"] | undefined;
}

/** The role of the database in which a model keeps what it knows of documents; undefined where it has items. Pure. */
export function documentDatabase({ entities, features }: Model): string | undefined {
  const from = own(entities, features?.documents?.entity ?? "")?.from;
  return from !== undefined && "database" in from ? from.database : undefined;
}

function documentTables({ entities, features }: Model): string[] {
  const from = own(entities, features?.documents?.entity ?? "")?.from;
  return [from && tableRole(from)].flatMap((role) => role ?? []);
}

/** What is kept of the documents of a site, as items or as rows. Things may be changed while they are streamed. */
export function documentStore({ databases, ...place }: DocumentPlace): DocumentStore {
  const { model } = place;
  if (documentDatabase(model) === undefined) return { store: dynamodbStore(place), accounts: undefined };
  const store = sqlStore({ model, databases });
  let alone: Promise<void> | undefined;
  return {
    store: {
      ...store,
      // No transaction is open between two pages.
      stream: (table) => store.pages(table),
      async deleteIf(thing, unchanged) {
        await (alone ??= store.assertDeletesAlone(documentTables(model)));
        return store.deleteIf(thing, unchanged);
      },
    },
    accounts: (given) => peopleRows(model, databases).accounts(given),
  };
}
