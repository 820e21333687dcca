import type { HeroSite } from "../../site/hero/site.ts";
import type { Access } from "../../world.ts";
import { auditSite } from "../audit/site.ts";
import type { Run } from "../run.ts";

/** Opens the target for the hero images as configured. */
export async function heroSite(run: Run, access: Access): Promise<HeroSite> {
  const { config, world } = run;
  const aws = await run.aws(access);
  return {
    aws,
    bucket: config["buckets.publicMedia"],
    uploadsBucket: config["buckets.profileImages"],
    table: config["tables.userProfiles"],
    publicBaseUrl: config.publicBaseUrl,
    trail: auditSite({ aws, config, world }),
    signal: world.signal,
  };
}
