import type { Aws } from "../aws/clients.ts";
import { tableRole } from "../model/database.ts";
import type { Declaration } from "../model/declaration.ts";
import { own } from "../model/json.ts";
import type { Model } from "../model/schema.ts";
import type { Database } from "../sql/database.ts";
import { dynamodbStore } from "./dynamodb.ts";
import { sqlStore, type SqlStore } from "./sql.ts";
import type { RowStore, Stored, Unchanged } from "./store.ts";

interface Opened {
  readonly aws: Aws;
  readonly model: Model;
  readonly declaration: Declaration;
  readonly databases: readonly Database[];
  readonly signal: AbortSignal;
}

/** What retention asks of the places where the rows of a site are. */
export type SiteStore = RowStore & Pick<SqlStore, "assertDeletesAlone" | "referred" | "tableOf">;

/** Rows of a site wherever they are: items of DynamoDB, or rows of the databases, the tables called as `tableRole` does. */
export function siteStore({ databases, ...place }: Opened): SiteStore {
  const items = dynamodbStore(place);
  const rows = sqlStore({ model: place.model, databases });
  const of = (table: string | undefined): RowStore => (table?.includes(".") === true ? rows : items);
  const ofEntity = (entity: string) => {
    const from = own(place.model.entities, entity)?.from;
    return of(from && tableRole(from));
  };
  const ofThing = ({ entity }: Stored) => ofEntity(entity);
  const ofAll = ([first]: readonly Unchanged[]) => first && ofThing(first.stored);
  const none = Promise.resolve([]);
  return {
    stream: (table) => of(table).stream(table),
    find: (entity, by) => ofEntity(entity).find(entity, by),
    get: (table, key) => of(table).get(table, key),
    getAll: (table, keys) => of(table).getAll(table, keys),
    changeIf: (stored, change) => ofThing(stored).changeIf(stored, change),
    deleteAllIf: (things) => ofAll(things)?.deleteAllIf(things) ?? none,
    deletable: (things) => ofAll(things)?.deletable(things) ?? none,
    referred: (things) => rows.referred(things),
    tableOf: (table) => rows.tableOf(table),
    assertDeletesAlone: (tables) => rows.assertDeletesAlone(tables),
  };
}
