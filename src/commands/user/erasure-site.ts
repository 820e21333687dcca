import { trailOf } from "../../audit/place.ts";
import { configuredSite } from "../../target.ts";
import type { Access } from "../../world.ts";
import type { ErasureSite } from "../../users/erasure-plan.ts";
import type { HoldSite } from "../../users/hold.ts";
import type { PersonSite } from "../../users/person.ts";
import { documentSite } from "../doc/site.ts";
import type { Run } from "../run.ts";
import { openPool } from "./site.ts";

/** Everything in which a person may be found, as configured; accounts in a table are found by the model. */
export async function personSite(run: Run, access: Access): Promise<PersonSite> {
  const { config, world } = run;
  const declaration = configuredSite(config);
  const found = { model: config.site, declaration, signal: world.signal, now: () => world.now() };
  if (config.site.userPool !== true) return { ...found, aws: await run.aws(access), known: undefined };
  const [accounts, documents] = [await openPool(run, access), await documentSite(run, access)];
  return { ...found, aws: accounts.aws, known: { ...accounts, documents } };
}

/** The same with where legal holds are kept. */
export async function holdSite(run: Run, access: Access): Promise<HoldSite> {
  return { ...(await personSite(run, access)), trailPlace: trailOf(await run.context(access)) };
}

/** The same with what an erasure needs besides; the repository of the backups where there is one. */
export async function erasureSite(run: Run, access: Access): Promise<ErasureSite> {
  return {
    ...(await holdSite(run, access)),
    store: await backupStore(run, access),
  };
}

async function backupStore(run: Run, access: Access) {
  const { config, world } = run;
  if (config["backup.repository"] === undefined && config.target !== "local") return undefined;
  const [{ storeOf }, { isRepository }] = await Promise.all([
    import("../backup/repository.ts"),
    import("../../backup/configuration.ts"),
  ]);
  const store = await storeOf(run, undefined, access);
  return (await isRepository(store, world.signal)) ? store : undefined;
}
