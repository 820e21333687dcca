import { referencesOf, storeText } from "./graph.ts";
import { own } from "./json.ts";
import { accountItems } from "./links.ts";
import { rowSubjects } from "./person-rows.ts";
import type { Model } from "./schema.ts";

/** Why retention cannot be carried out for a site with this model; undefined where it can. */
export function whyNoRetention({ entities }: Pick<Model, "entities">): string | undefined {
  for (const [name, entity] of Object.entries(entities)) {
    const { from, expires = [] } = entity;
    const other = expires.find((rule) => rule.do !== "delete" || rule.by !== "run");
    if ("database" in from && other !== undefined)
      return `${other.id} of ${name} does not delete, which is all that retention does in ${storeText(from)}`;
    if (!expires.some(({ by }) => by === "run")) continue;
    if ("bucket" in from && expires.some(({ keepNewest }) => keepNewest !== undefined))
      return `${name} keep their newest, which are told for MAWPS's own pictures alone`;
    const files = referencesOf(name, entity).filter(({ parentField }) => parentField === undefined);
    const fields = new Set(files.map(({ field }) => field)).size;
    if (fields > 1) return `${name} names files in ${fields} fields`;
  }
  return undefined;
}

/** Whether retention looks into a database of the model. */
export function isInRetention({ entities }: Pick<Model, "entities">, role: string): boolean {
  return Object.entries(entities).some(
    ([name, entity]) =>
      "database" in entity.from &&
      entity.from.database === role &&
      (entity.expires !== undefined ||
        referencesOf(name, entity).some(({ parentField }) => parentField === undefined)),
  );
}

/** Without these a row tells of no document. */
const needed = ["id", "name", "key", "owner", "status", "uploadedAt", "deletedAt"] as const;
/** What came by a link is told from what the site put there by the end of the link. */
const neededForLinks = [...needed, "uploadUntil"] as const;

/** Why a verb of `mawps doc` does not work on a site with this model; undefined where it does. */
export function whyNoDocuments({ entities, features }: Model, verb: string): string | undefined {
  const { documents } = features ?? {};
  if (documents === undefined) return 'its model has no "documents"';
  const from = own(entities, documents.entity)?.from;
  if (from === undefined || !("table" in from))
    return `what is kept of its documents is in ${storeText(from)}, which is no table`;
  const { at } = own(entities, documents.entity) ?? {};
  if (at !== undefined && !at.endsWith("[]")) return `a document lies at ${at}, which is no list`;
  const isOfLinks = verb === "request" || verb === "confirm";
  // In a list nothing keeps two uploads of the same file from making two entries, but its hash.
  // In a database no two entries have one file, whoever put it there.
  const isOfMarked = isOfLinks && !("database" in from);
  const wanted = [
    ...(isOfMarked ? neededForLinks : needed),
    ...(at === undefined ? [] : (["sha256"] as const)),
  ];
  const missing = wanted.filter((name) => documents.fields[name] === undefined);
  return missing.length > 0 ? `features.documents.fields has no ${missing.join(", ")}` : undefined;
}

/** Why the demo has nothing to show on a site with this model; undefined where it has. */
export function whyNoDemo(model: Model): string | undefined {
  // Whether it has rows for them is the demo's to tell.
  if (model.databases !== undefined) return undefined;
  const { accounts } = model.features ?? {};
  const from = accounts === undefined ? undefined : own(model.entities, accounts.entity)?.from;
  const isReached = from !== undefined && "table" in from && !("database" in from);
  if (!isReached || accounts?.fields.id === undefined || accounts.fields.email === undefined)
    return "its model has no accounts in a table, with id and email";
  return whyNoDocuments(model, "upload") ?? whyNoRetention(model);
}

/** Whether a model names migrations of a database. */
export function hasSqlMigrations({ databases = {} }: Pick<Model, "databases">): boolean {
  return Object.values(databases).some(({ migrations }) => migrations !== undefined);
}

/** What works by the model where accounts are items of a table, and where they are rows of databases. */
const forItems = new Set(["list", "show", "disable", "enable", "export", "erase", "orphans", "hold"]);
const forRows = new Set(["list", "show", "export", "erase", "orphans", "hold"]);

/** Why a verb about people cannot work for a site with another model than MAWPS's; undefined where it can. */
export function whyNoUsers(model: Model, verb: string): string | undefined {
  if (model.userPool === true) return "it works on MAWPS's own model only";
  if (accountItems(model) === undefined && rowSubjects(model).length > 0)
    return forRows.has(verb) ? undefined : elsewhere("rows of a database");
  if (accountItems(model) === undefined) return "its model names no table of DynamoDB with accounts";
  if (!forItems.has(verb)) return elsewhere("items of a table");
  const isSwitch = verb === "disable" || verb === "enable";
  return isSwitch && model.features?.accounts?.fields.isActive === undefined
    ? "its model names no field isActive of accounts"
    : undefined;
}

/** What only the website itself knows how to do. */
function elsewhere(what: string): string {
  return `that is done in a user pool: this site's accounts are ${what}, with passwords and sessions of its own`;
}
