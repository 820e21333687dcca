import { openDocumentSite } from "../../documents/site.ts";
import { modelText } from "../../model/hash.ts";
import { mawpsModel } from "../../model/mawps.ts";
import { isInRetention } from "../../model/reach.ts";
import type { Environment } from "../../retention/plan-file.ts";
import { openRetention, type RetentionSite } from "../../retention/site.ts";
import { configuredSite, storeFolder } from "../../target.ts";
import type { Access } from "../../world.ts";
import { trailOf } from "../../audit/place.ts";
import { documentPlace } from "../doc/site.ts";
import type { Run } from "../run.ts";

/**
 * Opens the target for retention, with the rules as configured and the moment for which they decide: by this machine's clock as well,
 * which a wrong clock of the server does not move.
 * @param until a moment to come for which they decide instead: only to look ahead, never to delete.
 */
export async function retentionSite(run: Run, access: Access, until?: Date): Promise<RetentionSite> {
  const { config, machineNow: now } = run;
  const databases = await (await run.databases()).openThere(({ role }) => isInRetention(config.site, role));
  const aws = await run.aws(access);
  const { signal } = run.world;
  const opened = {
    aws,
    model: config.site,
    declaration: configuredSite(config),
    databases,
    now,
    until,
    signal,
  };
  if (config.site !== mawpsModel) return openRetention(opened, {});
  const documents = await openDocumentSite({ ...documentPlace(run), now, aws });
  const { publicBaseUrl } = config;
  const publicBucket = config["buckets.publicMedia"];
  return openRetention(opened, {
    documents,
    proofs: {
      trail: trailOf(await run.context(access)),
      places: { endpointUrl: aws.endpointUrl, publicBaseUrl, publicBucket },
    },
  });
}

/** What a plan is valid for: where it was made, for which names, by which periods. */
export async function environmentOf(
  run: Run,
  { aws, declaration, databases }: RetentionSite,
): Promise<Environment> {
  const { config, world } = run;
  const place: Environment =
    config.target === "local"
      ? { store: storeFolder(config, world) }
      : { account: (await run.account()) ?? "unknown", endpoint: aws.endpointUrl ?? "aws" };
  return {
    target: config.target,
    model: modelText(config.site),
    ...place,
    region: aws.region,
    ...Object.fromEntries(declaration.buckets.map(({ role, name }) => [`buckets.${role}`, name])),
    ...Object.fromEntries(declaration.tables.map(({ role, name }) => [`tables.${role}`, name])),
    ...Object.fromEntries(databases.map(({ role, sql }) => [`databases.${role}`, sql.where])),
    ...Object.fromEntries(Object.entries(config).filter(([key]) => key.startsWith("retention."))),
  };
}
