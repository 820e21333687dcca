import { Command } from "@commander-js/extra-typings";
import { nobodiesCount, type Nobodies } from "../../model/nobodies.ts";
import type { JsonObject } from "../../model/json.ts";
import { count } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { OverallStats } from "../../site/progress/read.ts";
import type { UserProgress } from "../../site/progress/store.ts";
import { openDocuments } from "../../documents/site.ts";
import { noteNobodies } from "../nobodies.ts";
import { BrokenData } from "./problems.ts";

/** `mawps progress recompute`: stored totals become what the pages say. */
export function progressRecompute(begin: Begin): AnyCommand {
  return new Command("recompute")
    .description("correct the stored totals, each user's in the formula that theirs are in")
    .argument("[user]", "id, user name or e-mail address; default all")
    .addHelpText("after", "\nExample:\n  mawps progress recompute --dry-run")
    .action(async (user, _options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ recomputed, recomputeUser, scanProgress, userProgress }, { readProgress }] = await Promise.all(
        [import("../../site/progress/store.ts"), import("../../site/progress/read.ts")],
      );
      const { dryRun } = run.config;
      const site = await openDocuments(await run.context("writes"));
      await run.audit.open();
      const broken = new BrokenData();
      const changes: { userId: string; before: OverallStats | null; after: JsonObject }[] = [];
      const nobodies: Nobodies = new Map();
      let users = 0;

      async function* chosen(): AsyncGenerator<UserProgress> {
        if (user === undefined) return yield* scanProgress(site, nobodies);
        const { resolveUser } = await import("../../documents/users.ts");
        yield await userProgress(site, await resolveUser(site, user, "refuse"));
      }
      for await (const stored of chosen()) {
        const { userId, progress, updatedAt } = stored;
        users += 1;
        broken.add(userId, readProgress(progress, updatedAt));
        if (recomputed(stored)?.changed !== true) continue;
        const done = await recomputeUser(site, run.audit, { userId, dryRun });
        if (done?.changed !== true) continue;
        changes.push({ userId, before: done.before ?? null, after: done.after });
      }

      const result = { users, nobodies: nobodiesCount(nobodies), changes, dryRun, problems: broken.users };
      await run.print(result, () => {
        const lines = changes.map(({ userId, before, after }) => {
          const percent = String(after["completionPercentage"]);
          return `${userId}  ${before === null ? "none" : `${before.completionPercentage} %`} -> ${percent} %`;
        });
        const all = count(users, "user");
        return [
          ...lines,
          dryRun
            ? `${changes.length} of ${all} would change (dry run)`
            : `${changes.length} of ${all} changed`,
        ].join("\n");
      });
      noteNobodies(run, nobodies);
      if (!run.config.json) broken.warn(run);
      broken.end();
    });
}
