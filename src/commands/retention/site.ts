import type { Access } from "../../world.ts";
import { isInRetention } from "../../model/reach.ts";
import { openRetention, type RetentionSite } from "../../retention/site.ts";
import type { Run } from "../run.ts";

/**
 * Opens the site for retention. Its databases come first: one whose server nobody names, or names wrongly, ends the command before
 * anything else is asked, opened or made. @param until as for `openRetention`.
 */
export async function retentionSite(run: Run, access: Access, until?: Date): Promise<RetentionSite> {
  const { site: model } = run.config;
  await (await run.databases()).openThere(({ role }) => isInRetention(model, role));
  return openRetention(await run.context(access), until);
}
