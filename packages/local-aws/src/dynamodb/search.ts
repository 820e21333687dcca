import { Stream } from "node:stream";
import type { Expression, Path } from "./conditions.ts";
import { meets } from "./conditions.ts";
import type { Range } from "../json-database.ts";
import { under } from "../json-database.ts";
import { actionOf, asFault, db, limits, project, validated } from "./dynalite.ts";
import { validationFault } from "./fault.ts";
import type { Context, TableDescription } from "./tables.ts";
import { keys, nameOfTable, tableOf } from "./tables.ts";
import type { Item } from "./values.ts";

const mostSegments = 1_000_000;

interface SearchInput {
  TableName: string;
  IndexName?: string;
  Select?: string;
  Segment?: number;
  TotalSegments?: number;
  ExclusiveStartKey?: Item;
  AttributesToGet?: string[];
  _projection?: { paths?: readonly Path[]; nestedPaths: object };
  _filter?: { expression: Expression | { type: "always"; args: [] }; nestedPaths: object; pathHeads: object };
}

interface SearchResult {
  Items?: Item[];
  Count: number;
  ScannedCount: number;
  LastEvaluatedKey?: Item;
}

export function query(context: Context, input: object): Promise<object> {
  return search(context, "query", input);
}

export function scan(context: Context, input: object): Promise<object> {
  return search(context, "scan", input);
}

/**
 * dynalite checks the keys, works out the range and cuts the page; filter and projection are applied here, so that
 * nothing of a request is evaluated while rows arrive.
 */
async function search(context: Context, operation: "query" | "scan", input: object): Promise<object> {
  const data = await validated<SearchInput>(operation, input);
  check(data);
  const { description: table } = await tableOf(context, nameOfTable(data.TableName));
  const { _filter: filter, _projection: projection, AttributesToGet, Select, ...rest } = data;
  const paths = projection?.paths ?? AttributesToGet;
  checkProjected(table, data.IndexName, paths);
  const local = table.LocalSecondaryIndexes?.find((index) => index.IndexName === data.IndexName);
  // Only a local index can give what it does not hold, by reading the item behind the row.
  const wholeItems = local !== undefined && (Select === "ALL_ATTRIBUTES" || paths !== undefined);
  const page = await collect(context, table, {
    operation,
    wholeItems,
    data: {
      ...rest,
      ...(Select === undefined || Select === "COUNT" || wholeItems ? {} : { Select }),
      ...(projection === undefined ? {} : { _projection: { nestedPaths: projection.nestedPaths } }),
      ...(filter === undefined ? {} : { _filter: { ...filter, expression: { type: "always", args: [] } } }),
    },
  });
  const items = page.Items ?? [];
  const kept =
    filter === undefined ? items : items.filter((item) => meets(item, filter.expression as Expression));
  const { Items: _all, ...answer } = page;
  return {
    ...answer,
    Count: kept.length,
    ...(Select === "COUNT"
      ? {}
      : { Items: paths === undefined ? kept : kept.map((item) => project(item, paths)) }),
  };
}

/** What dynalite leaves unchecked. */
function check(data: SearchInput): void {
  if (data.Segment !== undefined && data.TotalSegments === undefined) {
    throw validationFault(
      "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
    );
  }
  if (data.TotalSegments !== undefined && data.TotalSegments > mostSegments) {
    throw validationFault(
      `1 validation error detected: Value '${String(data.TotalSegments)}' at 'totalSegments' failed to satisfy ` +
        `constraint: Member must have value less than or equal to ${String(mostSegments)}`,
    );
  }
  const { Select: select, IndexName, _projection: projection, AttributesToGet } = data;
  const named = projection === undefined ? AttributesToGet && "AttributesToGet" : "ProjectionExpression";
  if (select === "SPECIFIC_ATTRIBUTES" && named === undefined) {
    throw validationFault(
      "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
    );
  }
  if (select === "ALL_PROJECTED_ATTRIBUTES" && IndexName === undefined) {
    throw validationFault("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
  }
  if (named !== undefined && select !== undefined && select !== "SPECIFIC_ATTRIBUTES") {
    const what = select === "COUNT" ? "only the Count" : select;
    throw validationFault(`Cannot specify the ${named} when choosing to get ${what}`);
  }
}

/** A global index has the attributes that it projects and no others, and gives no item behind it. */
function checkProjected(
  table: TableDescription,
  indexName: string | undefined,
  paths: readonly (string | Path)[] | undefined,
): void {
  const index = table.GlobalSecondaryIndexes?.find((index) => index.IndexName === indexName);
  if (index === undefined || index.Projection.ProjectionType === "ALL") return;
  const projected = new Set([
    ...[...table.KeySchema, ...index.KeySchema].map((element) => element.AttributeName),
    ...(index.Projection.NonKeyAttributes ?? []),
  ]);
  const absent = (paths ?? [])
    .map((path) => (typeof path === "string" ? path : String(path[0])))
    .filter((name) => !projected.has(name));
  if (absent.length === 0) return;
  throw validationFault(
    `One or more parameter values were invalid: Global secondary index ${index.IndexName} does not project [${absent.join(", ")}]`,
  );
}

async function collect(
  context: Context,
  table: TableDescription,
  request: { readonly operation: "query" | "scan"; readonly wholeItems: boolean; readonly data: SearchInput },
): Promise<SearchResult> {
  const { data } = request;
  let fault: Error | undefined;
  let result: SearchResult | undefined;
  let wanted: { readonly rows: Rows; readonly range: Range; readonly prefix: string } | undefined;

  function source(prefix: string) {
    return {
      createValueStream(range: Range) {
        const rows = new Rows();
        wanted = { rows, range: prefixed(range, prefix, exactStart(table, data)), prefix };
        return rows;
      },
    };
  }

  const action = await actionOf(request.operation);
  action(
    {
      options: limits,
      getTable: (_name: string, done: (fault: null, found: object) => void) => done(null, table),
      getItemDb: () => source(keys.items(table.TableId)),
      getIndexDb: (_kind: string, _table: string, index: string) => source(keys.index(table.TableId, index)),
    },
    data,
    (refused, found) => {
      fault ??= refused ?? undefined;
      result ??= found as SearchResult | undefined;
    },
  );
  if (wanted !== undefined) {
    for await (const row of context.database.values<Item>(wanted.range)) {
      if (wanted.rows.stopped) break;
      wanted.rows.emit("data", request.wholeItems ? await behind(context, table, row) : row);
    }
    if (!wanted.rows.stopped) wanted.rows.emit("end");
  }
  if (fault !== undefined) throw asFault(fault);
  if (result === undefined) throw new Error("a search ended without an answer");
  return result;
}

/** A stream in the manner that dynalite reads one; it is fed from outside, and told when enough was read. */
class Rows extends Stream {
  stopped = false;
  destroy(): void {
    this.stopped = true;
  }
}

async function behind(context: Context, table: TableDescription, row: Item): Promise<Item> {
  const item = await context.database.get<Item>(keys.items(table.TableId) + db.createKey(row, table));
  return item ?? row;
}

/** Where a page of an index starts: our rows' keys go on with the item's own key. */
function exactStart(table: TableDescription, data: SearchInput): { from: string; to: string } | undefined {
  const start = data.ExclusiveStartKey;
  const index = [...(table.LocalSecondaryIndexes ?? []), ...(table.GlobalSecondaryIndexes ?? [])].find(
    (candidate) => candidate.IndexName === data.IndexName,
  );
  if (start === undefined || index === undefined) return undefined;
  const from = db.createIndexKey(start, table, index.KeySchema);
  return { from, to: `${from}/${db.createKey(start, table)}` };
}

function prefixed(range: Range, prefix: string, start: { from: string; to: string } | undefined): Range {
  const bound = (key: string) => prefix + (key === start?.from ? start.to : key);
  const { gt, gte, lt, lte, ...rest } = range;
  const all = under(prefix);
  return {
    ...rest,
    ...(gt === undefined ? (gte === undefined ? { gte: prefix } : { gte: bound(gte) }) : { gt: bound(gt) }),
    ...(lt === undefined
      ? lte === undefined
        ? { lt: all.lt ?? prefix }
        : { lte: bound(lte) }
      : { lt: bound(lt) }),
  };
}
