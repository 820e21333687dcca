import { resolve } from "node:path";
import { CliError, exitCodes } from "../errors.ts";
import { mawpsModel } from "../model/mawps.ts";
import { nearest } from "../model/nearest.ts";
import type { FaultInFile } from "../model/read.ts";
import type { Model } from "../model/schema.ts";
import { shippedModels } from "../model/shipped.ts";
import { readTextFile } from "../text-file.ts";
import type { World } from "../world.ts";

/** What the setting `model` may be: the name of a shipped model, or a file. */
export interface ModelName {
  readonly value: string;
  /** Where that was said. */
  readonly source: string;
}

/**
 * The model of that name, or in that file, read and checked whole.
 * @throws CliError (usage) with what is wrong with it, where, and what to do about it.
 */
export async function loadModel(world: Pick<World, "cwd">, { value, source }: ModelName): Promise<Model> {
  if (value === "mawps") return mawpsModel;
  if (Object.hasOwn(shippedModels, value)) return shippedModels[value]?.() ?? mawpsModel;
  if (!/[./\\]/.test(value)) {
    const names = Object.keys(shippedModels);
    const meant = nearest(value, names);
    throw new CliError(`${source}: there is no model ${JSON.stringify(value)}`, {
      exitCode: exitCodes.usage,
      hint:
        meant === undefined
          ? `there are: ${names.join(", ")}; a file is named with its ending: site.model.json`
          : `did you mean ${meant}?`,
    });
  }
  const path = resolve(world.cwd, value);
  const { readModel } = await import("../model/read.ts");
  const reading = readModel(await readModelFile(path));
  if ("model" in reading) return reading.model;
  const [first, ...others] = reading.faults;
  throw new CliError(first === undefined ? `${path} is no model` : faultText(path, first), {
    exitCode: exitCodes.usage,
    ...(first === undefined ? {} : { hint: first.remedy }),
    details: others.slice(0, mostTold).map((fault) => faultText(path, fault)),
  });
}

const mostTold = 10;

/** `site.model.json:12: entities.notes.links[0] does not say how it is found` */
export function faultText(path: string, { path: place, what, line }: FaultInFile): string {
  return `${path}${line === undefined ? "" : `:${line}`}: ${place === "" ? "the file" : place} ${what}`;
}

/** Far more than a model may have: `readModel` counts its characters. */
const mostBytes = 4_000_000;

const hint = "--model, MAWPS_MODEL or `model` in the configuration names it";

/** The text of a model file. @throws CliError (usage) where there is none that can be read. */
export async function readModelFile(path: string): Promise<string> {
  const text = await readTextFile(path, { what: "a model", mostBytes, hint });
  if (text !== undefined) return text;
  throw new CliError(`cannot read the model ${path}: there is no such file`, {
    exitCode: exitCodes.usage,
    hint,
  });
}
