import { under } from "../json-database.ts";
import type { Write } from "../json-database.ts";
import { db } from "./dynalite.ts";
import { dynamodbFault, invalidParameter, validationFault } from "./fault.ts";
import type { Context, SecondaryIndex, TableRecord } from "./tables.ts";
import { countsOf, indexesOf, itemsOf, keys, putRecord } from "./tables.ts";
import type { Item } from "./values.ts";
import { indexRow } from "./writes.ts";

/** Rows written at once while an index is filled. */
const batchRows = 500;

/** Rows that `item` has in `indexes`. */
export function rowsOf(table: TableRecord, indexes: readonly SecondaryIndex[], item: Item): Write[] {
  const { description } = table;
  const itemKey = db.createKey(item, description);
  const { puts } = db.getIndexActions(indexes, null, item, description);
  return puts.map((put) => ({
    type: "put",
    key: indexRow(description, { index: put.index, key: put.key, itemKey }),
    value: put.item,
  }));
}

/**
 * Adds a global index and fills it. The table knows it only when all rows are there; what a broken-off attempt left
 * is removed first. Items whose key attributes have another type are left out, as DynamoDB does.
 */
export async function addIndex(
  context: Context,
  table: TableRecord,
  index: SecondaryIndex,
): Promise<TableRecord> {
  const { description } = table;
  if (indexesOf(description).some((known) => known.IndexName === index.IndexName)) {
    throw validationFault("Attempting to create an index which already exists");
  }
  const types = new Map(
    description.AttributeDefinitions.map((known) => [known.AttributeName, known.AttributeType]),
  );
  const names = index.KeySchema.map((key) => key.AttributeName);
  if (names.some((name) => !types.has(name))) {
    throw invalidParameter(
      "Some index key attributes are not defined in AttributeDefinitions. " +
        `Keys: [${names.join(", ")}], AttributeDefinitions: [${[...types.keys()].join(", ")}]`,
    );
  }
  const rows = under(keys.index(description.TableId, index.IndexName));
  await context.database.clear(rows);
  let writes: Write[] = [];
  let count = 0;
  for await (const item of itemsOf(context, description)) {
    const fits = names.every((name) => {
      const value = item[name]?.[types.get(name) ?? "S"];
      return value !== undefined && value !== "";
    });
    if (!fits) continue;
    writes.push(...rowsOf(table, [index], item));
    count++;
    if (writes.length >= batchRows) {
      await context.database.write(writes);
      writes = [];
    }
  }
  const changed: TableRecord = {
    ...table,
    description: {
      ...description,
      GlobalSecondaryIndexes: [...(description.GlobalSecondaryIndexes ?? []), index],
    },
  };
  const counts = await countsOf(context, description.TableId);
  counts.indexes[index.IndexName] = count;
  await context.database.write([
    ...writes,
    putRecord(changed),
    { type: "put", key: keys.counts(description.TableId), value: counts },
  ]);
  return changed;
}

/** Removes a global index: first from the table, then its rows. */
export async function dropIndex(
  context: Context,
  table: TableRecord,
  indexName: string,
): Promise<TableRecord> {
  const { GlobalSecondaryIndexes: indexes = [], ...rest } = table.description;
  const kept = indexes.filter((index) => index.IndexName !== indexName);
  if (kept.length === indexes.length) {
    throw dynamodbFault("ResourceNotFoundException", "Requested resource not found");
  }
  const changed: TableRecord = {
    ...table,
    description: kept.length === 0 ? rest : { ...rest, GlobalSecondaryIndexes: kept },
  };
  const counts = await countsOf(context, rest.TableId);
  delete counts.indexes[indexName];
  await context.database.write([
    putRecord(changed),
    { type: "put", key: keys.counts(rest.TableId), value: counts },
  ]);
  await context.database.clear(under(keys.index(rest.TableId, indexName)));
  return changed;
}
