import type { AccessSite } from "../../access/place.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { inventoriedSite } from "../configured.ts";
import type { Run } from "../run.ts";

/** The site as policies name it; with the place of its backups by a flag or the settings. */
export async function siteOf(
  { config }: Run,
  { account: number = "*", repo }: { account?: string | undefined; repo?: string | undefined },
): Promise<AccessSite> {
  const place = repo ?? config.backup.repository;
  const [, bucket, folder = ""] = /^s3:\/\/([^/]+)\/?(.*?)\/*$/.exec(place ?? "") ?? [];
  if (repo !== undefined && bucket === undefined)
    throw new CliError(`--repo ${repo}: backups in a folder need no policy; s3://bucket/prefix does`, {
      exitCode: exitCodes.usage,
    });
  return {
    model: config.site,
    declaration: await inventoriedSite(config),
    account: number,
    metrics: config.metrics.namespace,
    repository: bucket === undefined ? undefined : { bucket, prefix: folder === "" ? "" : `${folder}/` },
  };
}
