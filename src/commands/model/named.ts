import { loadModel } from "../../config/model-file.ts";
import type { Model } from "../../model/schema.ts";
import type { Run } from "../run.ts";

/** The model that a verb was given, else the one of the setting. @throws CliError (usage) for one that is none. */
export async function namedModel({ config, world }: Run, name: string | undefined): Promise<Model> {
  return name === undefined ? config.site : loadModel(world, { value: name, source: "[model]" });
}
