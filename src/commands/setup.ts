import type { Command } from "@commander-js/extra-typings";
import type { Unconnected } from "../context.ts";
import { CliError, exitCodes } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import { mawpsModel } from "../model/mawps.ts";
import { paint, type Layout, type Tone } from "../output/layout.ts";
import { count, visible } from "../output/text.ts";
import type { AnyCommand, Begin } from "./command.ts";
import type { SetupResult } from "../setup/apply.ts";
import type { OpenObjects } from "../setup/public-objects.ts";
import type { Watched } from "../setup/alarms.ts";
import type { SetupPlan, Step, StepKind } from "../setup/step.ts";
import { withDueRule } from "../model/handed-over.ts";
import { isDenied } from "../aws/setting.ts";
import { version } from "../version.ts";
import type { Run } from "./run.ts";

/** A step as it is printed; `kind` and `result` tell a script what happened. */
interface Row extends Pick<Step, "resource" | "name" | "aspect" | "kind" | "from" | "to" | "remedy"> {
  readonly result: "done" | "failed" | "skipped" | "unsupported" | "planned" | "left" | "none";
}

/** `mawps setup`: makes what is missing, after showing the plan. */
export function setup(noun: Command, begin: Begin): void {
  noun
    .option("--fix", "also change what exists and differs from the declaration")
    .option(
      "--even-if-public-objects",
      "also close what is open by an ACL or a public policy today, and refuse uploads with an ACL",
    )
    .option("--alarms", "also make alarms of CloudWatch for what the jobs put there (metrics.namespace)")
    .option("--hand-over", "also the rule of S3's lifecycle that `retention run --hand-over` needs")
    .addHelpText(
      "after",
      "\nExamples:\n  mawps setup --dry-run\n  mawps setup --target aws --profile work --yes",
    )
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const fix = options.fix === true;
      const [
        { inventoried },
        { planSetup },
        { applySetup },
        { dueSteps },
        { findOpenObjects },
        { noteNewStore },
      ] = await Promise.all([
        import("../setup/inventory.ts"),
        import("../setup/plan.ts"),
        import("../setup/apply.ts"),
        import("../setup/step.ts"),
        import("../setup/public-objects.ts"),
        import("../migrations/new-store.ts"),
      ]);
      const unconnected = await run.unconnected("writes");
      const site = inventoried(unconnected);
      const declaration = options.handOver === true ? withDueRule(site) : site;
      const alarms = options.alarms === true ? await neededAlarms(unconnected) : undefined;
      const newStore = await newStoreOf(run);
      // What is named and cannot be used ends it before anything else is asked.
      const databases = await run.databases("writes");
      await databases.open(() => true);
      const aws = await run.aws("writes");
      const reading = await run.progress("comparing with what is there");
      const plans = await Promise.all([
        planSetup(aws, declaration, { signal: run.world.signal }),
        databases.compare(aws).then(({ steps }) => steps),
        alarms === undefined ? [] : planAlarms(run, alarms),
      ]);
      const plan = plans.flat();
      const due = dueSteps(plan, fix);
      if (options.evenIfPublicObjects !== true) {
        reading.update("looking for objects that are open by their ACL");
        refuseToClose(run, await findOpenObjects(aws, due, run.world.signal));
      }
      reading.stop();
      if (run.config.dryRun || due.length === 0) {
        const left = plan.map((step) => row(step, due.includes(step) ? "planned" : leftOver(step)));
        return run.printRows(left, (rows, layout) => asText(rows, layout, newStore));
      }

      const asked = due.map((step) => row(step, "planned"));
      await run.outline((layout) => planText(asked, layout));
      await run.confirm({
        question: `Carry out ${count(due.length, "step")}?`,
        destructive: due.some(({ kind }) => kind === "change"),
      });
      const event: AuditEvent = { action: "setup.applied", details: { steps: due.map(told) } };
      // A trail that the plan is about to make can only be told the outcome.
      const { trail: kept } = declaration;
      const parts = new Set(kept === undefined ? [] : [kept.table, kept.bucket]);
      const isToBeMade = due.some(({ kind, name }) => kind === "create" && parts.has(name));
      if (!isToBeMade) await run.audit.open();
      const working = await run.progress("setting up");
      const apply = async () => {
        const result = await applySetup(aws, plan, {
          fix,
          signal: run.world.signal,
          writeDatabase: (write) => databases.write(write),
          onStep: (step) => working.update(`${step.resource} ${step.name}: ${step.aspect}`),
        });
        const made = { declaration, done: result.done, now: run.world.now(), tool: `mawps/${version}` };
        if (run.config.site !== mawpsModel) return result;
        await noteNewStore(aws, made).catch((error: unknown) => {
          if (!isDenied(error)) throw error;
          run.warn("that there is nothing to migrate could not be noted: `mawps migrate up` does it");
        });
        return result;
      };
      const outcome = await (isToBeMade ? apply() : run.audit.irreversible(event, apply, counted));
      const isMade = !due.some(
        (step) => step.kind === "create" && parts.has(step.name) && !outcome.done.includes(step),
      );
      if (isToBeMade && isMade) {
        const details = { ...event.details, ...counted(outcome), phase: "done" };
        await run.audit.record({ ...event, details });
      }
      working.stop();
      const results = new Map<Step, Row["result"]>([
        ...outcome.done.map((step) => [step, "done"] as const),
        ...outcome.skipped.map((step) => [step, "skipped"] as const),
        ...outcome.unsupported.map((step) => [step, "unsupported"] as const),
        ...outcome.failed.map(({ step }) => [step, "failed"] as const),
      ]);
      await run.printRows(
        plan.map((step) => row(step, results.get(step) ?? leftOver(step))),
        (each, layout) => asText(each, layout, newStore),
      );
      if (outcome.failed.length > 0)
        throw await failures(outcome.failed, { done: outcome.done.length, on: run.config });
    });
}

/** What becomes of a local store that is not there yet: it is made with all that the site declares when it is opened. */
async function newStoreOf({ config, world }: Run): Promise<string | undefined> {
  if (config.target !== "local") return undefined;
  const { localStoreExists } = await import("../target.ts");
  if (await localStoreExists(config, world)) return undefined;
  return config.dryRun
    ? "the local store would be made, with all of it (dry run)"
    : "made the local store, with all of it";
}

async function neededAlarms(unconnected: Unconnected): Promise<Watched> {
  const { watchedOf } = await import("../setup/alarms.ts");
  const alarms = watchedOf(unconnected);
  if (alarms !== undefined) return alarms;
  throw new CliError("--alarms needs the setting metrics.namespace: alarms watch what jobs put there", {
    exitCode: exitCodes.usage,
    hint: "docs/ci.md tells what they put",
  });
}

/** @throws CliError where they were asked for and may not be looked at. */
async function planAlarms(run: Run, site: Watched): Promise<SetupPlan> {
  const { planAlarms: planOf } = await import("../setup/alarms.ts");
  const plan = await planOf(await run.aws("writes"), site, run.world.signal);
  const barred = plan.find(({ kind, name }) => kind === "problem" && name === site.place.namespace);
  if (barred === undefined) return plan;
  throw new CliError(`${barred.to}; nothing was changed`, { hint: barred.remedy });
}

const mostNamed = 10;

/**
 * Tells how far it was looked.
 * @throws CliError naming what is open now and would not be any more, and what was uploaded as it could not be any more.
 */
function refuseToClose(run: Run, found: readonly OpenObjects[]): void {
  const lines = found.flatMap(({ bucket, objects, byPolicy }) => [
    ...(byPolicy ? [`  bucket ${bucket}: what its policy opens to everybody`] : []),
    ...objects
      .slice(0, mostNamed)
      .map(
        ({ key, to }) =>
          `  ${bucket}/${visible(key)} (${to === "nobody" ? "uploaded with an ACL that opens nothing" : `open to ${to}`})`,
      ),
    ...(objects.length > mostNamed ? [`  and ${objects.length - mostNamed} more of the sample`] : []),
  ]);
  const looks = found.map(({ bucket, looked, prefixes, isWhole }) => {
    const not = isWhole ? "" : ", not all there are";
    return `${count(looked, "object")} from ${count(prefixes, "prefix", "prefixes")} of ${bucket}${not}`;
  });
  const sample = `a sample: ${looks.join("; ")}`;
  const isOpen = found.some(({ objects, byPolicy }) => byPolicy || objects.some(({ to }) => to !== "nobody"));
  if (lines.length > 0) {
    const would = isOpen ? "close what is open now" : "have uploads with an ACL refused, as these were made";
    throw new CliError(`nothing was changed: setup would ${would} (${sample}):\n${lines.join("\n")}`, {
      hint: isOpen
        ? "uploads that send an ACL, as these did, would be refused too; open them by the policy of a public bucket first, or pass --even-if-public-objects"
        : "let the website send no ACL first, or pass --even-if-public-objects",
    });
  }
  if (found.length > 0) run.note(`no object has an ACL that setup would make void (${sample})`);
}

function told({ kind, resource, name, aspect }: Step): string {
  return `${kind} ${resource} ${name}: ${aspect}`;
}

function counted({ done, failed }: SetupResult) {
  return { done: done.length, failed: failed.length };
}

function row(step: Step, result: Row["result"]): Row {
  const { resource, name, aspect, kind, from, to, remedy } = step;
  return {
    resource,
    name,
    aspect,
    kind,
    from,
    to,
    remedy,
    result,
  };
}

/** What is not carried out: a difference that only `--fix` changes is left, the rest needs nothing. */
function leftOver({ kind }: Step): Row["result"] {
  return kind === "change" || kind === "problem" ? "left" : "none";
}

async function failures(
  failed: readonly { step: Step; error: unknown }[],
  { done, on }: { readonly done: number; readonly on: Run["config"] },
): Promise<CliError> {
  const { explain } = await import("../aws/explain/explain.ts");
  const lines = failed.map(({ step, error }) => {
    const { message: why } =
      explain(error, on) ?? (error instanceof Error ? error : { message: String(error) });
    return `${step.resource} ${step.name}, ${step.aspect}: ${why}`;
  });
  return new CliError(`${count(failed.length, "step")} failed, ${done} done:`, {
    details: lines,
    exitCode: done > 0 ? exitCodes.partial : exitCodes.failed,
    hint: "run `mawps setup` again when the cause is mended; it does only what is left",
  });
}

const signs: Readonly<Record<StepKind, string>> = {
  create: "+",
  add: "+",
  change: "~",
  ok: " ",
  note: "i",
  problem: "!",
};

const tones: Readonly<Record<StepKind, Tone>> = {
  create: "good",
  add: "good",
  change: "warning",
  ok: "dim",
  note: "dim",
  problem: "bad",
};

/** What is about to be done, resource by resource: the setting, how it is now, how it will be. */
function planText(rows: readonly Row[], layout: Layout): string {
  return grouped(rows, layout, ({ from, to }) => (from === undefined ? to : `${from} -> ${to}`));
}

/** Settings under the name of their bucket or table, lined up over all of them. */
function grouped(rows: readonly Row[], layout: Layout, textOf: (row: Row) => string): string {
  const lines = rows.map((each) => ({
    resource: `${each.resource} ${each.name}`,
    setting: `${signs[each.kind]} ${each.aspect}`,
    tone: tones[each.kind],
    text: textOf(each),
  }));
  const width = Math.max(0, ...lines.map(({ setting }) => setting.length));
  return lines
    .flatMap(({ resource, setting, tone, text }, at) => [
      ...(resource === lines[at - 1]?.resource ? [] : [resource]),
      `  ${paint(setting.padEnd(width), tone, layout)}  ${visible(text)}`,
    ])
    .join("\n");
}

function asText(rows: readonly Row[], layout: Layout, newStore: string | undefined): string {
  const shown = rows.filter(({ result, kind }) => result !== "none" || kind === "note");
  const well = rows.filter(({ kind }) => kind === "ok").length;
  const lines: string[] = [];
  if (shown.length > 0) {
    lines.push(
      grouped(
        shown,
        layout,
        ({ to, remedy, result }) =>
          `${to}${remedy === undefined ? "" : ` (${remedy})`}${result === "none" ? "" : ` [${result}]`}`,
      ),
    );
  }
  const of = (result: Row["result"]) => rows.filter((each) => each.result === result).length;
  const problems = rows.filter(({ kind }) => kind === "problem").length;
  if (newStore !== undefined) lines.push(newStore);
  else if (problems === 0 && of("done") + of("planned") + of("failed") === 0) lines.push("nothing to do");
  if (of("planned") > 0)
    lines.push(`${count(of("planned"), "step")} to carry out; nothing was changed (dry run)`);
  if (of("done") > 0) lines.push(`${count(of("done"), "step")} done`);
  const changes = rows.filter(({ kind, result }) => kind === "change" && result === "left").length;
  if (changes > 0)
    lines.push(
      `left as they are, different from the declaration: ${count(changes, "setting")}; \`mawps setup --fix\` changes that`,
    );
  if (problems > 0) lines.push(`${count(problems, "problem")} left, which setup does not solve`);
  if (well > 0) lines.push(`${count(well, "setting")} as declared`);
  return lines.join("\n");
}
