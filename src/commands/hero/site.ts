import type { HeroSite } from "../../site/hero/site.ts";
import type { Access } from "../../world.ts";
import type { Run } from "../run.ts";

/** Opens the target for the hero images as configured. */
export async function heroSite(run: Run, access: Access): Promise<HeroSite> {
  return {
    aws: await run.aws(access),
    bucket: run.config["buckets.publicMedia"],
    table: run.config["tables.userProfiles"],
    publicBaseUrl: run.config.publicBaseUrl,
    signal: run.world.signal,
  };
}
