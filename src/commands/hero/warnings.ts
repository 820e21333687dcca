import { visible } from "../../output/text.ts";
import type { Run } from "../run.ts";

/** Says that the owner item had another `type`: some other part of the site may have relied on it. */
export function warnOfForeignType(run: Run, foreignType: string | undefined): void {
  if (foreignType === undefined) return;
  const verb = run.config.dryRun ? "would become" : "is now";
  run.warn(
    `the owner item's type was "${visible(foreignType)}" and ${verb} "website-images": without it the website shows no image`,
  );
}
