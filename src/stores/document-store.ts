import type { Aws } from "../aws/clients.ts";
import type { Declaration } from "../model/declaration.ts";
import { tableRole } from "../model/database.ts";
import { own } from "../model/json.ts";
import type { Entity, Model } from "../model/schema.ts";
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
export function documentDatabase(model: Model): string | undefined {
  const from = documentsFrom(model);
  return from !== undefined && "database" in from ? from.database : undefined;
}

function documentsFrom({ entities, features }: Model): Entity["from"] | undefined {
  return own(entities, features?.documents?.entity ?? "")?.from;
}

/** What is kept of the documents of a site, as items or as rows. Things may be changed while they are streamed. */
export function documentStore({ databases, ...place }: DocumentPlace): DocumentStore {
  const { model } = place;
  const from = documentsFrom(model);
  if (from === undefined || !("database" in from))
    return { store: dynamodbStore(place), accounts: undefined };
  const tables = [tableRole(from) ?? []].flat();
  const store = sqlStore({ model, databases });
  let alone: Promise<void> | undefined;
  return {
    store: {
      ...store,
      // No transaction is open between two pages.
      stream: (table) => store.pages(table),
      async deleteIf(thing, unchanged) {
        await (alone ??= store.assertDeletesAlone(tables));
        return store.deleteIf(thing, unchanged);
      },
    },
    accounts: (given) => peopleRows(model, databases).accounts(given),
  };
}
