import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import type { Skipped } from "../../retention/recheck.ts";
import { count, grouped, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { partial } from "../partial.ts";
import { environmentOf } from "./environment.ts";
import { whatIs } from "./plan.ts";

/** `mawps retention recheck`: what was left to S3 is looked at again, and what is not due any more is taken back. */
export function retentionRecheck(begin: Begin): AnyCommand {
  return new Command("recheck")
    .description(
      "take back from S3 what a run has handed over and is held or was brought back since: from the lists, and its tag",
    )
    .argument("<folder>", "folder of `retention run --hand-over`")
    .addHelpText("after", "\nExample:\n  mawps retention recheck due-2027-01")
    .action(async (named, _options, command) => {
      const run = await begin(command as AnyCommand);
      const [
        { recheckHandedOver },
        { openRetention },
        { handedOverPlan },
        { checkPlan, assertSameEnvironment },
      ] = await Promise.all([
        import("../../retention/recheck-handed-over.ts"),
        import("../../retention/site.ts"),
        import("../../retention/hand-over.ts"),
        import("../../retention/plan-file.ts"),
      ]);
      const folder = resolve(run.world.cwd, named);
      const plan = await checkPlan(handedOverPlan(folder));
      const site = await openRetention(await run.unconnected("writes"));
      assertSameEnvironment(plan, await environmentOf(run, site));
      const { dryRun } = run.config;
      if (!dryRun) await run.audit.open();
      const looking = await run.progress("looking again");
      const { manifests, listed, skipped, untagged, failures } = await recheckHandedOver(site, {
        folder,
        plan,
        audit: run.audit,
        dryRun,
        onDone: (done) => looking.update(`looking again: ${grouped(done)} done`),
      });
      looking.stop();
      for (const { due, why } of skipped) run.warn(`taken back ${due.rule} ${whatIs(due)}: ${why}`);
      const said = {
        listed,
        takenBack: skipped.map(asJson),
        untagged,
        manifests,
        dryRun,
      };
      await run.print(said, () => asText(said));
      for (const { versions, file } of manifests)
        run.note(`${count(versions, "version")} in ${visible(file)}`);
      if (failures.length > 0)
        throw partial(
          failures.map(({ due, why }) => ({ what: `${due.rule} ${whatIs(due)}`, why })),
          untagged,
        );
    });
}

function asJson({ due, why }: Skipped) {
  return { rule: due.rule, userId: due.userId, ...("key" in due ? { key: due.key } : {}), why };
}

interface Said {
  readonly listed: number;
  readonly takenBack: readonly object[];
  readonly untagged: number;
  readonly dryRun: boolean;
}

function asText({ listed, takenBack, untagged, dryRun }: Said): string {
  const would = dryRun ? "would be " : "";
  return `${count(listed, "version")} ${would}left to S3, ${grouped(takenBack.length)} ${would}taken back; the tag ${would}taken off ${count(untagged, "version")}`;
}
