import { configuredSite } from "../../target.ts";
import type { Day } from "../../usage/history.ts";
import type { Usage } from "../../usage/measure.ts";
import type { Run } from "../run.ts";

interface Kept {
  /** Whether today's sums are kept for the days to come. */
  readonly isKept: boolean;
  readonly usd?: number;
}

/**
 * What is kept of the days before this one, oldest first; today's sums are kept beside them. The days of inventories are theirs, and are
 * compared with one another alone.
 */
export async function keptDays(run: Run, usage: Usage, { isKept, usd }: Kept): Promise<readonly Day[]> {
  const { daysBefore, dayOf, keepDay, usageFile } = await import("../../usage/history.ts");
  const { world, config } = run;
  const { buckets, tables } = configuredSite(config);
  const place = config.target === "local" ? [world.cwd, config.home] : [config.endpointUrl, config.profile];
  const names = [...buckets, ...tables].map(({ name }) => name);
  const times = (usage.inventories ?? [])
    .map(({ asOf }) => asOf)
    .sort((one, other) => Number(one) - Number(other));
  const engine = usage.inventories === undefined ? [] : ["inventory"];
  const site = JSON.stringify([config.site.name, config.target, ...place, config.region, names, ...engine]);
  const file = usageFile(world.home, world.env);
  const today = { ...dayOf(usage, times[0] ?? world.now()), ...(usd === undefined ? {} : { usd }) };
  try {
    const before = await daysBefore(file, site, today.day);
    if (isKept && !config.dryRun && usage.failures.length === 0) await keepDay(file, site, today);
    return before;
  } catch (error) {
    run.warn(`today's sums are not kept: ${(error as Error).message}`);
    return [];
  }
}
