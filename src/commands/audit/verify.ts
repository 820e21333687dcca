import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { Fault, Found, Interruption, Verification } from "../../audit/verify.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { paint } from "../../output/layout.ts";
import { count, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Run } from "../run.ts";
import { trailOf } from "../../audit/place.ts";

/** `mawps audit verify`: whether the trail is as it was written; exit 4 when not. */
export function auditVerify(begin: Begin): AnyCommand {
  return new Command("verify")
    .description("find entries that were edited, removed, inserted or moved, and a tail that was cut")
    .option(
      "--acknowledge <reason>",
      "record that what is found was looked into; it is not told again",
      filled,
    )
    .addHelpText(
      "after",
      "\nExamples:\n  mawps audit verify --json | jq -c 'select(.fault)'\n  mawps audit verify --acknowledge \"restored by hand on 3 May\"",
    )
    .action(async ({ acknowledge: reason }, command) => {
      const run = await begin(command as AnyCommand);
      const { placeOf, verifyTrail } = await import("../../audit/verify.ts");
      const context = await run.context(reason === undefined ? "reads" : "writes");
      const verifying = verifyTrail(trailOf(context), context.now());
      const found: Found[] = [];
      let sum: Verification | undefined;
      const foundThenSum = (async function* (): AsyncGenerator<Found | Verification> {
        for (;;) {
          const step = await verifying.next();
          if (step.done === true) {
            yield (sum = step.value);
            return;
          }
          found.push(step.value);
          yield step.value;
        }
      })();
      await run.printLines(foundThenSum, (row, layout) =>
        "fault" in row
          ? paint(faultLine(row, placeOf(row)), "bad", layout)
          : "since" in row
            ? paint(interruptedLine(row), "warning", layout)
            : sumLines(row),
      );
      if (reason !== undefined) {
        await acknowledgeFound(run, found, reason);
      } else if (sum !== undefined && sum.faults > 0) {
        throw new CliError(`the audit trail has ${count(sum.faults, "fault")}`, {
          exitCode: exitCodes.findings,
          hint: "keep the table and the versions of the anchor as they are; docs/audit-trail.md tells what each fault means",
        });
      }
    });
}

function filled(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("expected a reason.");
  return text;
}

async function acknowledgeFound(run: Run, found: readonly Found[], reason: string): Promise<void> {
  if (found.length === 0) return run.note("nothing to acknowledge");
  const what = count(found.length, "finding");
  if (run.config.dryRun) return run.note(`would acknowledge ${what}`);
  await run.confirm({ question: `Acknowledge ${what} of the audit trail?`, destructive: false });
  const { acknowledgements } = await import("../../audit/acknowledge.ts");
  await run.audit.record(acknowledgements(found, reason));
  run.note(`acknowledged: ${what}`);
}

function faultLine({ fault, what }: Fault, place: string): string {
  return visible(`${fault.toUpperCase().padEnd(8)}  ${place}: ${what}`);
}

function interruptedLine({ interrupted, action, userId, actor, since, details }: Interruption): string {
  const told = Object.entries(details).map(([name, value]) => `${name}=${String(value)}`);
  const of = userId === undefined ? "" : ` of ${userId}`;
  return visible(
    `INTERRUPTED  ${interrupted}: ${action}${of} by ${actor}, begun ${since}, has no outcome: ${told.join(" ")}`,
  );
}

function sumLines({ entries, first, last, anchored, notAnchored, ...sum }: Verification): string[] {
  const range = first === null ? "" : `, from ${first} to ${last}`;
  return [
    `${count(entries, "entry", "entries")}${range}`,
    anchored === null
      ? entries === 0
        ? "no anchor yet"
        : "no anchor"
      : `anchored up to entry ${anchored}; not yet anchored: ${notAnchored}`,
    ...(sum.expired === 0 ? [] : [`${count(sum.expired, "entry", "entries")} expired`]),
    ...(sum.interrupted === 0
      ? []
      : [`${count(sum.interrupted, "change")} without an outcome: interrupted, or under way`]),
    ...(sum.acknowledged === 0 ? [] : [`acknowledged: ${sum.acknowledged}`]),
  ];
}
