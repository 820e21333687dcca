import { headObject } from "../aws/s3/objects.ts";
import { inParallel } from "../concurrency.ts";
import { holds } from "../model/items.ts";
import type { FilePlace } from "../model/row-files.ts";
import { decideRow, traitsOf } from "../retention/rules.ts";
import type { Row } from "../sql/connection.ts";
import type { Database } from "../sql/database.ts";
import type { RowTable } from "../sql/row-table.ts";
import { valuesIn } from "../stores/person-tables.ts";
import { objectsAtOnce, type BucketPlan } from "./restore-object-plan.ts";
import { fileName, wantsBucket } from "./restore-scope.ts";
import { destinationOf, type RestoreSite } from "./restore-site.ts";

/** A row that comes back, and the file that it names; its bucket by its role. */
export interface RowWithFile {
  readonly what: string;
  readonly file: Pick<FilePlace, "bucket" | "key">;
}

/**
 * Tells by which rule of retention a row of a table is due as soon as it is back; undefined for none. Of rules that look at more than the
 * row itself, and of legal holds of people, it knows nothing.
 */
export function dueIn(
  { model, declaration, now }: Pick<RestoreSite, "model" | "declaration" | "now">,
  database: Pick<Database, "role" | "engine">,
  table: RowTable,
): (row: Row) => string | undefined {
  const rules = {
    byId: new Map(
      declaration.retention.flatMap((rule) =>
        rule.by === "run" && rule.keepNewest === undefined && rule.unreferred === undefined
          ? [[rule.id, rule]]
          : [],
      ),
    ),
    at: now(),
  };
  const kinds = Object.entries(model.entities).flatMap(([name, entity]) => {
    const { from, expires = [] } = entity;
    const isHere = "database" in from && from.database === database.role && from.table === table.name;
    const isDecided = expires.some(({ id, partitions }) => rules.byId.has(id) && partitions === undefined);
    return isHere && isDecided ? [{ entity, traits: traitsOf({ model }, name, entity) }] : [];
  });
  return (row) => {
    for (const { entity, traits } of kinds) {
      const fields = valuesIn({ database, rows: table }, entity, row);
      const verdict = holds(entity.when, fields) ? decideRow({ entity, traits }, fields, rules) : undefined;
      if (verdict !== undefined && verdict.action !== "keep") return verdict.rule.id;
    }
    return undefined;
  };
}

/** Those whose file neither is there nor comes back with them, each with why. */
export async function withoutFile(
  site: RestoreSite,
  rows: readonly RowWithFile[],
  buckets: readonly BucketPlan[],
): Promise<{ readonly what: string; readonly why: string }[]> {
  const { aws, manifest, scope, signal } = site;
  const there = new Set(buckets.flatMap(({ named }) => [...named]));
  const asked = rows.filter(({ file: { bucket, key } }) => !there.has(fileName(bucket, key)));
  const looked = await inParallel(asked, objectsAtOnce, async ({ what, file: { bucket: role, key } }) => {
    const bucket = destinationOf(site, "bucket", { role, name: role });
    if ((await headObject(aws, { bucket, key }, signal)) !== undefined) return [];
    const stored = manifest.buckets.find((each) => each.role === role);
    const isLeftOut = stored !== undefined && !wantsBucket(scope, stored);
    return [{ what, why: isLeftOut ? "--only leaves files out" : "the backup has none" }];
  });
  return looked.flat();
}
