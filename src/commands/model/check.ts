import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { faultText, readModelFile } from "../../config/model-file.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { modelHash } from "../../model/hash.ts";
import type { FaultInFile } from "../../model/read.ts";
import type { Model } from "../../model/schema.ts";
import { shippedModels } from "../../model/shipped.ts";
import { paint, type Layout } from "../../output/layout.ts";
import { count, grouped } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Found } from "../../survey/live.ts";
import { configuredSite } from "../../target.ts";
import type { Run } from "../run.ts";
import { namedModel } from "./named.ts";

/** `mawps model check`: whether a file is a model, and whether it says what all is that is there; exit 4 when not. */
export function modelCheck(begin: Begin): AnyCommand {
  return new Command("check")
    .description("whether a file is a model, and with --live whether it says what all is that is there")
    .argument("[model]", "a file or a shipped model; by default the one of the setting")
    .option("--live", "look at every object and item of the site")
    .addHelpText("after", "\nExamples:\n  mawps model check prework\n  mawps model check --live")
    .action(async (name, { live = false }, command) => {
      const run = await begin(command as AnyCommand);
      if (live && name !== undefined) {
        throw new CliError("--live looks at the site of the settings, by their model", {
          exitCode: exitCodes.usage,
          hint: `mawps --model ${name} model check --live`,
        });
      }
      if (live) return checkLive(run);
      if (name !== undefined && !Object.hasOwn(shippedModels, name)) return checkFile(run, name);
      await tellGood(run, await namedModel(run, name), 0);
    });
}

/** A shipped model is one: a test holds it. One of the setting was checked before anything else. */
async function tellGood(run: Run, model: Model, guesses: number): Promise<void> {
  const hash = modelHash(model);
  const entities = Object.keys(model.entities).length;
  await run.print({ name: model.name, hash, entities, guesses, faults: [] }, () =>
    [
      `${model.name} is a model: ${count(entities, "entity", "entities")}, hash ${hash}`,
      ...(guesses === 0
        ? []
        : [`${count(guesses, "guess", "guesses")} of mawps model init to look at: lines with "GUESS"`]),
    ].join("\n"),
  );
}

async function checkFile(run: Run, name: string): Promise<void> {
  const path = resolve(run.world.cwd, name);
  const text = await readModelFile(path);
  const { readModel } = await import("../../model/read.ts");
  const reading = readModel(text);
  if ("model" in reading) return tellGood(run, reading.model, text.split("GUESS").length - 1);
  await run.printRows(reading.faults, (faults, layout) =>
    faults.map((fault) => faultLines(path, fault, layout)).join("\n"),
  );
  throw new CliError(`${count(reading.faults.length, "fault")} in ${name}`, { exitCode: exitCodes.findings });
}

function faultLines(path: string, fault: FaultInFile, layout: Layout): string {
  return `${paint(faultText(path, fault), "bad", layout)}\n  ${fault.remedy}`;
}

async function checkLive(run: Run): Promise<void> {
  const [{ surveySite }, aws] = await Promise.all([import("../../survey/live.ts"), run.aws("reads")]);
  const progress = await run.progress("looking at everything");
  const survey = surveySite(aws, {
    model: run.config.site,
    declaration: configuredSite(run.config),
    databases: run.config.site.databases === undefined ? [] : await (await run.databases()).open(() => true),
    signal: run.world.signal,
    onProgress: (name, looked) => progress.update(`${name}: ${grouped(looked)} looked at`),
    onUnlisted: (what, why) => run.warn(`${what} could not be listed: ${why}`),
  });
  let [unknown, wrong] = [0, 0];
  const found = (async function* () {
    for await (const each of survey) {
      if (each.entity === null) unknown += each.count;
      if (each.wrong !== undefined) wrong += each.count;
      yield each;
    }
    progress.stop();
  })();
  await run.printLines(found, foundLines);
  if (unknown + wrong === 0) return;
  const { name } = run.config.site;
  const told = [
    ...(unknown === 0 ? [] : [`${grouped(unknown)} that the model of ${name} does not know`]),
    ...(wrong === 0
      ? []
      : [`${grouped(wrong)} that are not as ${unknown === 0 ? `the model of ${name}` : "it"} says`]),
  ];
  throw new CliError(told.join(", "), {
    exitCode: exitCodes.findings,
    hint:
      unknown === 0
        ? "the site is to write what the model derives and counts; how those that are there get it tells docs/models.md"
        : "give each kind an entity, with whose it is; docs/models.md tells how",
  });
}

function foundLines(
  { store, name, entity, count: number, samples = [], missing, unnamed, wrong }: Found,
  layout: Layout,
): string[] {
  const place = `${store} ${name}`;
  if (missing === true) return [paint(`${place}: is not there`, "dim", layout)];
  if (unnamed === true) return [paint(`${place}: the model does not name it`, "dim", layout)];
  if (wrong !== undefined)
    return [paint(`${place}: ${grouped(number)} of ${entity} ${wrong}`, "bad", layout)];
  if (entity !== null) return [`${place}: ${entity}, ${grouped(number)}`];
  if (number === 0) return [paint(`${place}: is empty`, "dim", layout)];
  const told = `${place}: ${grouped(number)} of no entity, such as`;
  return [paint(told, "bad", layout), ...samples.map((sample) => `  ${sample}`)];
}
