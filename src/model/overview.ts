import { erasureOrder, storeText } from "./graph.ts";
import type { Entity, Link, Model } from "./schema.ts";

/** One kind of thing of a model, in words for people and for scripts. */
export interface EntityRow {
  readonly entity: string;
  readonly what: string;
  /** `table userProfiles, documents[]` */
  readonly where: string;
  readonly keys: readonly string[];
  /** `user by userId (subject)`; of what is nobody's, why. */
  readonly whose: readonly string[];
  readonly erasure: readonly string[];
  readonly howLong: readonly string[];
  /** Its place in the order of erasure, from 1. */
  readonly order: number;
}

/** Every entity of a model, in the model's order. Pure. */
export function entityRows(model: Model): EntityRow[] {
  const ordered = erasureOrder(model);
  const order = "order" in ordered ? ordered.order : [];
  return Object.entries(model.entities).map(([name, entity]) => ({
    entity: name,
    what: entity.what,
    where: entity.at === undefined ? storeText(entity.from) : `${storeText(entity.from)}, ${entity.at}`,
    keys: keysOf(entity),
    whose: entity.links?.map(linkText) ?? [
      `${entity.personal === "unknown" ? "not known" : "nobody's"}: ${entity.reason ?? ""}`,
    ],
    erasure: [...new Set(entity.links?.map(eraseText) ?? [])],
    howLong: (entity.expires ?? []).map(expiryText),
    order: order.indexOf(name) + 1,
  }));
}

function keysOf({ key }: Entity): string[] {
  if (key === undefined) return [];
  if (typeof key === "string" || Array.isArray(key)) return [key].flat();
  return Object.entries(key).map(([name, templates]) => `${name}=${[templates].flat().join("|")}`);
}

function linkText({ subject, role, by, find }: Link): string {
  const field = typeof by === "string" ? by : `that of its ${by.via}`;
  const how = typeof find === "object" ? `index ${find.index}` : (find ?? "");
  return `${subject} by ${field} (${role}; ${how})`;
}

const eraseWords = { delete: "deleted", null: "emptied", pseudonym: "put under another name" } as const;

function eraseText({ erase }: Link): string {
  if (typeof erase === "string") return eraseWords[erase];
  if ("set" in erase) return `set to ${erase.set}`;
  if ("expires" in erase) return "left to expire";
  const { days, basis } = erase.keep;
  return `kept${days === undefined ? "" : ` ${days} days`}: ${basis}`;
}

function expiryText({
  what,
  after,
  keepNewest,
  unreferred,
  partitions,
  do: action,
  by,
  id,
}: NonNullable<Entity["expires"]>[number]): string {
  const age = after === undefined ? [] : [`after ${after} ${after === 1 ? "day" : "days"}`];
  const newest = keepNewest === undefined ? [] : [`the newest ${keepNewest} stay`];
  const free = unreferred === true ? ["while nothing refers to it"] : [];
  const whole = partitions === "whole" ? ["a partition at a time"] : [];
  const does = action === "soft-delete" ? "marked as deleted" : "deleted";
  return `${does} ${[...age, ...newest, ...free, ...whole].join(", ")} by ${by === "ttl" ? "DynamoDB's TTL" : "mawps retention run"} (${id}: ${what})`;
}
