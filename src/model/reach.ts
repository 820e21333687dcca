import { storeText } from "./graph.ts";
import type { Model } from "./schema.ts";

/** Why retention cannot be carried out for a site with this model; undefined where it can. */
export function whyNoRetention({ entities }: Pick<Model, "entities">): string | undefined {
  for (const [name, { from, at, expires = [], refs = {} }] of Object.entries(entities)) {
    const isByRun = expires.some(({ by }) => by === "run");
    if (isByRun && "database" in from) return `${name} expires in ${storeText(from)}, which is SQL`;
    if (isByRun && at !== undefined) return `${name} expires within an item (${at})`;
    const files = Object.values(refs).filter((targets) => [targets].flat().some(isFile));
    if (isByRun && files.length > 1) return `${name} names files in ${files.length} fields`;
  }
  return undefined;
}

function isFile(target: string): boolean {
  return target.startsWith("object:");
}
