import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { CliError, exitCodes } from "../errors.ts";
import { mawpsModel } from "../model/mawps.ts";
import { nearest } from "../model/nearest.ts";
import type { FaultInFile } from "../model/read.ts";
import type { Model } from "../model/schema.ts";
import { shippedModels } from "../model/shipped.ts";
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
      hint: `${meant === undefined ? `there are: ${names.join(", ")}` : `did you mean ${meant}?`}; a file is named with its ending: site.model.json`,
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

/** What is read of a file at most: one byte more than a model may have tells that it is none. */
const mostBytes = 4_000_001;

/** The text of a model file; of a larger file as much as shows that it is none. */
export async function readModelFile(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    const { bytesRead, buffer } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
    return buffer
      .subarray(0, bytesRead)
      .toString("utf8")
      .replace(/^\uFEFF/, "");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError(
      `cannot read the model ${path}: ${code === "ENOENT" ? "there is no such file" : (code ?? "unknown reason")}`,
      {
        exitCode: exitCodes.usage,
        cause: error,
        hint: "--model, MAWPS_MODEL or `model` in the configuration names it",
      },
    );
  }
}
