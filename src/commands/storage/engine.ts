import { Option } from "@commander-js/extra-typings";
import type { Engine } from "../../usage/measure.ts";

const engines = ["listing", "inventory"] as const satisfies readonly Engine[];

/** By what it is known what lies in the buckets. */
export function engineOption() {
  return new Option("--engine <engine>", "go by a listing now, or by the newest inventory that S3 made")
    .choices(engines)
    .default("listing" as const);
}

/** For the progress. */
export const doingBy = {
  listing: "listing what is stored",
  inventory: "reading inventories of what is stored",
} as const satisfies Record<Engine, string>;
