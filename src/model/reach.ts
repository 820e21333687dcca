import { storeText } from "./graph.ts";
import { accountItems } from "./links.ts";
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

/** What looks for people by what the model links to them, wherever their accounts are. */
const forAnyModel = new Set(["export", "erase", "orphans"]);

/** Why a verb about people cannot work for a site with another model than MAWPS's; undefined where it can. */
export function whyNoUsers(model: Model, verb: string): string | undefined {
  if (!forAnyModel.has(verb) || model.userPool === true) return "it works on MAWPS's own model only";
  return accountItems(model) === undefined ? "its model names no table of DynamoDB with accounts" : undefined;
}
