import { Command } from "@commander-js/extra-typings";
import type { Fault, Verification } from "../../audit/verify.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { count, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../../program.ts";
import { auditSite } from "./site.ts";

/** `mawps audit verify`: whether the trail is as it was written; exit 4 when not. */
export function auditVerify(begin: Begin): AnyCommand {
  return new Command("verify")
    .description("find entries that were edited, removed, inserted or moved, and a tail that was cut")
    .addHelpText("after", "\nExample:\n  mawps audit verify --json | jq -c 'select(.fault)'")
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ verifyTrail }, aws] = await Promise.all([import("../../audit/verify.ts"), run.aws("reads")]);
      const site = auditSite({ aws, config: run.config, world: run.world });
      const verifying = verifyTrail(site, run.world.now());
      let sum: Verification | undefined;
      const faultsThenSum = (async function* () {
        sum = yield* verifying;
        yield sum;
      })();
      await run.printLines(faultsThenSum, (row) => ("fault" in row ? faultLine(row) : sumLines(row)));
      if (sum !== undefined && sum.faults > 0) {
        throw new CliError(`the audit trail has ${count(sum.faults, "fault")}`, {
          exitCode: exitCodes.findings,
          hint: "keep the table and the versions of the anchor as they are; docs/audit-trail.md tells what each fault means",
        });
      }
    });
}

function faultLine({ fault, sequence, what }: Fault): string {
  return visible(`${fault.toUpperCase().padEnd(8)}  entry ${sequence}: ${what}`);
}

function sumLines({ entries, first, last, anchored, notAnchored, expired }: Verification): string[] {
  const range = first === null ? "" : `, from ${first} to ${last}`;
  return [
    `${count(entries, "entry", "entries")}${range}`,
    anchored === null
      ? entries === 0
        ? "no anchor yet"
        : "no anchor"
      : `anchored up to entry ${anchored}; not yet anchored: ${notAnchored}`,
    ...(expired === 0 ? [] : [`${count(expired, "entry", "entries")} expired`]),
  ];
}
