import type { AnyCommand, Begin } from "../command.ts";
import { modelCheck } from "./check.ts";
import { modelGraph } from "./graph.ts";
import { modelInit } from "./init.ts";
import { modelList } from "./list.ts";
import { modelShow } from "./show.ts";

/** `mawps model …`: what a site stores, whose it is and how long it stays. */
export function model(noun: AnyCommand, begin: Begin): void {
  for (const verb of [modelList, modelShow, modelCheck, modelGraph, modelInit]) noun.addCommand(verb(begin));
}
