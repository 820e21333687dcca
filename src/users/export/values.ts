import { isRecord, type JsonObject } from "../../model/json.ts";
import { leavingSecretsOut, type Secrets } from "../../model/secrets.ts";
import type { Model } from "../../model/schema.ts";

/** Why something is not in an export. */
export type Reason = "secret" | "others" | "elsewhere";

/** What an export leaves out, by kind: never the value itself. */
export interface LeftOut {
  readonly entity: string;
  /** The attribute, without the places in lists. */
  readonly path: string;
  readonly reason: Reason;
  readonly times: number;
}

/** What was there when it was planned, and could not be read. */
export interface Missing {
  readonly entity: string;
  readonly name: string;
  /** `archived`: in a storage class from which it has to be restored before it can be read. */
  readonly why: "vanished" | "archived";
}

/** Gathers what is left out. */
export class LeavingOut {
  readonly #found = new Map<string, LeftOut>();

  add(entity: string, path: string, reason: Reason): void {
    const plain = path.replaceAll(/\[\d+\]/g, "[]");
    const name = JSON.stringify([entity, plain, reason]);
    const times = (this.#found.get(name)?.times ?? 0) + 1;
    this.#found.set(name, { entity, path: plain, reason, times });
  }

  get all(): readonly LeftOut[] {
    return [...this.#found.values()];
  }
}

/** What may be given out of an item, and what not. */
export interface Rules {
  readonly secrets: Secrets;
  /** Names of attributes that the model calls secret, by entity. */
  readonly secretFields: ReadonlyMap<string, readonly string[]>;
  /** Names of attributes that say who was at work. */
  readonly actors: ReadonlySet<string>;
  /** All that stands for the person. */
  readonly ids: readonly string[];
}

/** By a model, for one person. Pure. */
export function rulesOf(model: Model, secrets: Secrets, ids: readonly string[]): Rules {
  const { documents, audit } = model.features ?? {};
  const named = [documents?.fields.uploadedBy, audit?.fields.actor].filter((name) => name !== undefined);
  const secretFields = Object.entries(model.entities).map(([entity, { fields = {} }]) => {
    const names = Object.entries(fields).flatMap(([name, field]) =>
      typeof field === "object" && field.secret === true ? [name] : [],
    );
    return [entity, names] as const;
  });
  return {
    secrets,
    secretFields: new Map(secretFields),
    actors: new Set(["actor", "uploadedBy", "deletedBy", ...named]),
    ids,
  };
}

/** The value as it is given out: without secrets, and without the names of others who were at work. Pure but for `out`. */
export function givenOut(
  entity: string,
  value: JsonObject,
  { rules, out }: { readonly rules: Rules; readonly out: LeavingOut },
): JsonObject {
  const { secrets, secretFields, actors, ids } = rules;
  const hidden = secretFields.get(entity) ?? [];
  const shown = Object.entries(value).filter(([name]) => {
    if (hidden.includes(name)) out.add(entity, name, "secret");
    return !hidden.includes(name);
  });
  const { value: open, left } = leavingSecretsOut(secrets, Object.fromEntries(shown));
  for (const path of left) out.add(entity, path, "secret");
  const withoutOthers = (each: unknown, path: string): unknown => {
    if (Array.isArray(each)) return each.map((element, at) => withoutOthers(element, `${path}[${at}]`));
    if (each instanceof Set) return [...each].map((element, at) => withoutOthers(element, `${path}[${at}]`));
    if (each instanceof Uint8Array) return Buffer.from(each).toString("base64");
    if (!isRecord(each)) return each;
    return Object.fromEntries(
      Object.entries(each).flatMap(([name, inner]): [string, unknown][] => {
        const at = path === "" ? name : `${path}.${name}`;
        if (actors.has(name) && typeof inner === "string" && !ids.includes(inner)) {
          out.add(entity, at, "others");
          return [];
        }
        return [[name, withoutOthers(inner, at)]];
      }),
    );
  };
  const given = withoutOthers(open, "");
  return isRecord(given) ? given : {};
}

/** A value as one cell of a table for people. */
export function cellOf(value: unknown): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return JSON.stringify(value);
}
