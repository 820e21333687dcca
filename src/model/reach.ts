import { referencesOf, storeText } from "./graph.ts";
import { own } from "./json.ts";
import { accountItems } from "./links.ts";
import type { Entity, Model } from "./schema.ts";

/**
 * Why retention cannot be carried out for a site with this model; undefined where it can. No file may go that something names
 * which is not looked at: a row of SQL, or what lies within an item.
 */
export function whyNoRetention({ entities }: Pick<Model, "entities">): string | undefined {
  const all = Object.entries(entities).map(([name, entity]) => ({
    name,
    from: entity.from,
    at: entity.at,
    isDue: isByRun(entity),
    files: referencesOf(name, entity).filter(({ parentField }) => parentField === undefined),
  }));
  for (const { name, from, at, isDue, files } of all) {
    if (!isDue) continue;
    if ("database" in from) return `${name} expires in ${storeText(from)}, which is SQL`;
    if (at !== undefined) return `${name} expires within an item (${at})`;
    if (
      "bucket" in from &&
      (entities[name]?.expires ?? []).some(({ keepNewest }) => keepNewest !== undefined)
    )
      return `${name} keep their newest, which are told for MAWPS's own pictures alone`;
    const fields = new Set(files.map(({ field }) => field)).size;
    if (fields > 1) return `${name} names files in ${fields} fields`;
  }
  const going = new Set(
    all.flatMap(({ name, isDue, files }) => (isDue ? [name, ...files.map(({ to }) => to)] : [])),
  );
  for (const { from, at, files } of all) {
    const named = files.find(({ to }) => going.has(to));
    if (named === undefined || !("database" in from || at !== undefined)) continue;
    const where = "database" in from ? `in ${storeText(from)}, which is SQL` : `within an item (${at})`;
    return `it would delete ${named.to}, and ${named.from} names them ${where}: which of them are in use cannot be told`;
  }
  return undefined;
}

function isByRun({ expires = [] }: Entity): boolean {
  return expires.some(({ by }) => by === "run");
}

/** What `mawps doc` does where a site keeps a row for each document; the rest needs MAWPS's lists and folders. */
const verbsOfRows = new Set("upload list show url get request confirm rm restore tag rename scan".split(" "));

/** Without these a row tells of no document. */
const needed = ["id", "name", "key", "owner", "status", "uploadedAt", "deletedAt", "sha256"] as const;
/** What came by a link is told from what the site put there by the end of the link. */
const neededForLinks = [...needed, "uploadUntil"] as const;

/** Why a verb of `mawps doc` does not work on a site with this model; undefined where it does. */
export function whyNoDocuments({ entities, features }: Model, verb: string): string | undefined {
  const { documents } = features ?? {};
  if (documents === undefined) return 'its model has no "documents"';
  const from = own(entities, documents.entity)?.from;
  if (from === undefined || !("table" in from) || "database" in from)
    return `what is kept of its documents is in ${storeText(from)}, and mawps doc reads DynamoDB alone`;
  if (own(entities, documents.entity)?.at !== undefined)
    return "it keeps its documents in lists, which mawps doc reads of MAWPS alone";
  const isOfLinks = verb === "request" || verb === "confirm";
  const missing = (isOfLinks ? neededForLinks : needed).filter(
    (name) => documents.fields[name] === undefined,
  );
  if (missing.length > 0) return `features.documents.fields has no ${missing.join(", ")}`;
  return verbsOfRows.has(verb) ? undefined : `doc ${verb} works on MAWPS's own model only`;
}

/** Why the demo has nothing to show on a site with this model; undefined where it has. */
export function whyNoDemo(model: Model): string | undefined {
  const { accounts } = model.features ?? {};
  const from = accounts === undefined ? undefined : own(model.entities, accounts.entity)?.from;
  const isReached = from !== undefined && "table" in from && !("database" in from);
  if (!isReached || accounts?.fields.id === undefined || accounts.fields.email === undefined)
    return "its model has no accounts in a table, with id and email";
  return whyNoDocuments(model, "upload") ?? whyNoRetention(model);
}

/** What looks for people by what the model links to them, wherever their accounts are. */
const forAnyModel = new Set(["export", "erase", "orphans"]);

/** Why a verb about people cannot work for a site with another model than MAWPS's; undefined where it can. */
export function whyNoUsers(model: Model, verb: string): string | undefined {
  if (!forAnyModel.has(verb) || model.userPool === true) return "it works on MAWPS's own model only";
  return accountItems(model) === undefined ? "its model names no table of DynamoDB with accounts" : undefined;
}
