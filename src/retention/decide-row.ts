import { own } from "../model/json.ts";
import type { Entity } from "../model/schema.ts";
import { namedIn } from "../stores/row-owners.ts";
import type { Stored } from "../stores/store.ts";
import { decideRow, traitsOf, type RowVerdict } from "./rules.ts";
import { keptFor, type RetentionSite } from "./site.ts";

/** What the rules say of a row as it stands. @param owners whom it names, directly or through what it goes by. */
export function decide(
  site: Deciding,
  stored: Stored,
  owners: readonly string[] = namedIn(site, stored),
): RowVerdict | undefined {
  const { entity: name, fields } = stored;
  const entity = entityOf(site, name);
  const verdict = decideRow({ entity, traits: traitsOf(site, name, entity) }, fields, site.rules);
  const holds = site.holding.of(owners);
  const isKept = verdict !== undefined && verdict.action !== "expire" && holds.length > 0;
  return isKept ? keptFor(holds, verdict) : verdict;
}

type Deciding = Pick<RetentionSite, "model" | "rules" | "holding">;

/** @throws Error where the model has none of that name: a bug. */
export function entityOf({ model }: Pick<RetentionSite, "model">, name: string): Entity {
  const entity = own(model.entities, name);
  if (entity === undefined) throw new Error(`the model has no entity ${name}`);
  return entity;
}
