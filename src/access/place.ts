import type { Unconnected } from "../context.ts";
import { CliError, exitCodes } from "../errors.ts";
import type { Declaration } from "../model/declaration.ts";
import type { Model } from "../model/schema.ts";
import { inventoried } from "../setup/inventory.ts";

/** A site as policies name it. */
export interface AccessSite {
  readonly model: Model;
  /** The same site with its names as configured. */
  readonly declaration: Declaration;
  /** Number of the account; `*` where it is not known, which is the role's own. */
  readonly account: string;
  /** Where backups are kept on S3, `bucket/prefix`. */
  readonly repository?: { readonly bucket: string; readonly prefix: string } | undefined;
  /** Namespace of the metrics that jobs put; none where they put none. */
  readonly metrics?: string | undefined;
}

/** What an action is about. */
export type Place =
  /** The site's buckets themselves. */
  | "buckets"
  /** All that lies in them. */
  | "objects"
  /** The anchors of the audit trail, which lie in one of them. */
  | "anchors"
  /** The bucket in which they lie. */
  | "vault"
  | "backupBucket"
  | "backups"
  /** All tables of the site. */
  | "tables"
  /** Those that hold the audit trail, and their indexes. */
  | "trail"
  | "trailIndexes"
  /** Where migrations and erasures are kept. */
  | "journal"
  /** What the site itself keeps: without mawps's own tables. */
  | "siteTables"
  | "siteIndexes"
  /** Of these, the table of nothing but the site's own audit trail. */
  | "siteTrail"
  /** And the others. */
  | "itemTables"
  | "pool"
  | "anything";

/** The resources of a place; none where the site has no such thing. */
export function resourcesOf(place: Place, site: AccessSite): string[] {
  const { model, declaration, repository } = site;
  const toolOf = (role: string) => model.tables[role]?.tool;
  const named = (tool?: "audit" | "migrations") =>
    declaration.tables.filter(({ role }) => toolOf(role) === tool);
  const indexed = (tables: Declaration["tables"]) =>
    tables.filter(({ indexes }) => indexes.length > 0).map(({ name }) => `${tableArn(site, name)}/index/*`);
  const arns = (tables: Declaration["tables"]) => tables.map(({ name }) => tableArn(site, name));
  switch (place) {
    case "buckets":
      return declaration.buckets.map(({ name }) => bucketArn(name));
    case "objects":
      return declaration.buckets.map(({ name }) => `${bucketArn(name)}/*`);
    case "anchors":
      return declaration.trail === undefined
        ? []
        : [`${bucketArn(declaration.trail.bucket)}/audit/${declaration.trail.table}/*`];
    case "vault":
      return declaration.trail === undefined ? [] : [bucketArn(declaration.trail.bucket)];
    case "backupBucket":
      return repository === undefined ? [] : [bucketArn(repository.bucket)];
    case "backups":
      return repository === undefined ? [] : [`${bucketArn(repository.bucket)}/${repository.prefix}*`];
    case "tables":
      return arns(declaration.tables);
    case "trail":
      return arns(named("audit"));
    case "trailIndexes":
      return indexed(named("audit"));
    case "journal":
      return arns(named("migrations"));
    case "siteTables":
      return arns(named());
    case "siteTrail":
      return arns(named().filter(({ role }) => isTrail(model, role)));
    case "itemTables":
      return arns(named().filter(({ role }) => !isTrail(model, role)));
    case "siteIndexes":
      return indexed(named());
    case "pool":
      return declaration.userPool === undefined
        ? []
        : [`arn:aws:cognito-idp:${declaration.region}:${site.account}:userpool/${declaration.userPool.id}`];
    case "anything":
      return ["*"];
  }
}

function isTrail({ entities, features }: Model, table: string): boolean {
  const held = Object.entries(entities).filter(
    ([, { from }]) => "table" in from && !("database" in from) && from.table === table,
  );
  return held.length > 0 && held.every(([name]) => name === features?.audit?.entity);
}

export function bucketArn(name: string): string {
  return `arn:aws:s3:::${name}`;
}

export function tableArn({ declaration, account }: AccessSite, name: string): string {
  return `arn:aws:dynamodb:${declaration.region}:${account}:table/${name}`;
}

/**
 * The site as policies name it; with the place of its backups by a flag or the settings.
 * @throws CliError (usage) for a flag that names a folder.
 */
export function accessSite(
  context: Unconnected,
  { account = "*", repo }: { readonly account?: string | undefined; readonly repo?: string | undefined },
): AccessSite {
  const place = repo ?? context.backups.repository;
  const [, bucket, folder = ""] = /^s3:\/\/([^/]+)\/?(.*?)\/*$/.exec(place ?? "") ?? [];
  if (repo !== undefined && bucket === undefined)
    throw new CliError(`--repo ${repo}: backups in a folder need no policy; s3://bucket/prefix does`, {
      exitCode: exitCodes.usage,
    });
  return {
    model: context.model,
    declaration: inventoried(context),
    account,
    metrics: context.metrics?.namespace,
    repository: bucket === undefined ? undefined : { bucket, prefix: folder === "" ? "" : `${folder}/` },
  };
}
