import { modelText } from "../../model/hash.ts";
import type { Environment } from "../../retention/plan-file.ts";
import type { RetentionSite } from "../../retention/site.ts";
import { storeFolder } from "../../target.ts";
import type { Run } from "../run.ts";

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
    ...Object.fromEntries(
      Object.entries(config.retention).map(([name, period]) => [`retention.${name}`, period]),
    ),
  };
}
