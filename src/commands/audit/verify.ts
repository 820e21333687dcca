import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { KnownEntry } from "../../audit/signed-anchor.ts";
import type { Fault, Found, Interruption, Verification } from "../../audit/verify.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { paint } from "../../output/layout.ts";
import { count, visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Run } from "../run.ts";
import { trailOf, type TrailPlace } from "../../audit/place.ts";
import { assertSound } from "./faults.ts";
import { auditKey, publicKeyOption } from "./key.ts";

/** `mawps audit verify`: whether the trail is as it was written; exit 4 when not. */
export function auditVerify(begin: Begin): AnyCommand {
  return new Command("verify")
    .description("find entries that were edited, removed, inserted or moved, and a tail that was cut")
    .addOption(
      new Option("--acknowledge <reason>", "record that what is found was looked into; it is not told again")
        .argParser(filled("a reason"))
        // What was noted outside stays noted there: no entry of the trail can answer it.
        .conflicts(["anchor", "expect"]),
    )
    .option("--expect <N:hash>", "that entry N is there with this hash, as it was noted before", expected)
    .option(
      "--anchor <line, file or URL>",
      "the same for lines of `audit anchor`, also of a page of https",
      filled("a line, a file or a URL"),
    )
    .option(
      "--public-key <hex>",
      "whose lines these must be; by default that of MAWPS_AUDIT_KEY, if it is set",
      publicKeyOption,
    )
    .addHelpText(
      "after",
      "\nExamples:\n  mawps audit verify --json | jq -c 'select(.fault)'\n  mawps audit verify --acknowledge \"restored by hand on 3 May\"",
    )
    .action(async ({ acknowledge: reason, expect, anchor, publicKey }, command) => {
      const run = await begin(command as AnyCommand);
      const anchors = anchor === undefined ? [] : await anchorsIn(run, anchor, publicKey);
      const known = [...(expect === undefined ? [] : [expect]), ...anchors];
      const [{ placeOf, verifyTrail }, { outsideFaults }] = await Promise.all([
        import("../../audit/verify.ts"),
        import("../../audit/signed-anchor.ts"),
      ]);
      const context = await run.context(reason === undefined ? "reads" : "writes");
      assertOfTable(anchors, trailOf(context));
      const verifying = verifyTrail(trailOf(context), context.now());
      const found: Found[] = [];
      let sum: Verification | undefined;
      const foundThenSum = (async function* (): AsyncGenerator<Found | Verification> {
        for (;;) {
          const step = await verifying.next();
          if (step.done === true) {
            const faults = await outsideFaults(trailOf(context), known, context.now());
            yield* faults;
            yield (sum = { ...step.value, faults: step.value.faults + faults.length });
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
      if (reason !== undefined) await acknowledgeFound(run, found, reason);
      if (sum === undefined) return;
      run.measure({ Problems: reason === undefined ? sum.faults : 0 });
      if (reason === undefined) assertSound(sum);
    });
}

function expected(text: string): KnownEntry {
  const [, number = "", hash = ""] = /^(\d{1,13}):([\da-f]{64})$/.exec(text.trim()) ?? [];
  if (Number(number) < 1) throw new InvalidArgumentError("expected a number, a colon and 64 hex digits.");
  return { sequence: Number(number), hash };
}

/** The anchors of a line, or of all lines of a file or of a page. */
async function anchorsIn(run: Run, given: string, publicKey: string | undefined): Promise<KnownEntry[]> {
  const [{ readAnchorLine }, { publicKeyFor }] = await Promise.all([
    import("../../audit/signed-anchor.ts"),
    import("../../audit/signer.ts"),
  ]);
  const own = publicKey === undefined ? await auditKey(run.world, undefined) : undefined;
  const wanted =
    publicKey ?? (own === undefined ? undefined : await publicKeyFor(own, () => run.context("reads")));
  const text = await anchorText(run, given);
  if (text === undefined) throw new CliError(`there is no file ${given}`, { exitCode: exitCodes.usage });
  const place = placeOfAnchors(given);
  const anchors = text.split("\n").flatMap((line, at) => {
    if (line.trim() === "") return [];
    const where = isLine(given) ? place : `line ${at + 1} of ${place}`;
    return [readAnchorLine(line, { where, publicKey: wanted })];
  });
  if (anchors.length === 0) throw new CliError(`there are no anchors in ${place}`);
  if (wanted === undefined)
    run.warn(
      "who signed the anchors is not proved: --public-key, or MAWPS_AUDIT_KEY, tells whose they must be",
    );
  return anchors;
}

/** What is given, for messages: of an address its server alone, as the rest may be what opens it. */
function placeOfAnchors(given: string): string {
  if (isLine(given)) return "the anchor";
  return isAddress(given) ? new URL(given).origin : given;
}

const isLine = (given: string) => /^\s*mawps-anchor-/.test(given);
const isAddress = (given: string) => /^https?:/i.test(given);

/** @throws CliError where an anchor is of another trail. */
function assertOfTable(anchors: readonly KnownEntry[], place: TrailPlace): void {
  const other = anchors.find(({ table }) => table !== place.table);
  if (other !== undefined)
    throw new CliError(`an anchor is of the table ${other.table}, and this trail is in ${place.table}`);
}

/** Undefined where there is no such file. */
async function anchorText(run: Run, given: string): Promise<string | undefined> {
  if (isLine(given)) return given;
  const what = { what: "a list of anchors", mostBytes: 16 * 1024 ** 2 };
  const { env, limits, signal, cwd } = run.world;
  if (isAddress(given)) {
    const { outsideText } = await import("../../aws/outside-text.ts");
    return outsideText(given, { env, limits, signal, ...what });
  }
  const { readTextFile } = await import("../../text-file.ts");
  return readTextFile(resolve(cwd, given), what);
}

function filled(what: string): (text: string) => string {
  return (text) => {
    if (text.trim() === "") throw new InvalidArgumentError(`expected ${what}.`);
    return text;
  };
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
