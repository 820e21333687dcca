import { isRecord, type JsonObject } from "../../model/json.ts";
import { leavingSecretsOut, type Secrets } from "../../model/secrets.ts";
import type { Model } from "../../model/schema.ts";

/** Why something is not in an export. */
export type Reason = "secret" | "others" | "elsewhere" | "unreached" | "unfinished" | "shared";

/** What an export leaves out, by kind: never the value itself. */
export interface LeftOut {
  readonly entity: string;
  /** The attribute, without the places in lists. */
  readonly path: string;
  readonly reason: Reason;
  readonly times: number;
}

/** What was there when it was planned, and could not be read then. */
export interface Missing {
  readonly entity: string;
  readonly name: string;
  /** `archived`: in a storage class from which it has to be restored before it can be read. */
  readonly why: "vanished" | "archived" | "denied";
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
  /** Where the model says that secrets are, by entity. */
  readonly secretPaths: ReadonlyMap<string, SecretPaths>;
  /** Names of attributes that say who was at work. */
  readonly actors: ReadonlySet<string>;
  /** All that stands for the person. */
  readonly ids: readonly string[];
}

/** Places in an item or a part of one, without the brackets of lists. */
interface SecretPaths {
  /** Those of the entity, and of parts of it that are entities of their own. */
  readonly own: ReadonlySet<string>;
  /** Those of all entities of its table: for items of a kind that the model does not know. */
  readonly any: ReadonlySet<string>;
}

function secretPathsOf({ entities }: Model): Rules["secretPaths"] {
  const all = Object.entries(entities).map(([entity, { from, at, fields = {} }]) => {
    const folder = at === undefined ? "" : `${withoutLists(at)}.`;
    const secret = Object.entries(fields).flatMap(([name, field]) =>
      typeof field === "object" && field.secret === true ? [`${folder}${name}`] : [],
    );
    return { entity, table: "table" in from ? from.table : undefined, folder, secret };
  });
  return new Map(
    all.map(({ entity, table, folder, secret }) => {
      const beside = all.filter((each) => table !== undefined && each.table === table);
      const below = beside.filter((each) => each.folder !== "" && each.folder.startsWith(folder));
      const own = [...secret, ...below.flatMap((each) => each.secret)];
      return [
        entity,
        {
          own: new Set(own.map((path) => path.slice(folder.length))),
          any: new Set([...own, ...beside.flatMap((each) => each.secret)]),
        },
      ];
    }),
  );
}

function withoutLists(path: string): string {
  return path.replaceAll(/\[\d*\]/g, "");
}

/** By a model, for one person. Pure. */
export function rulesOf(model: Model, secrets: Secrets, ids: readonly string[]): Rules {
  const { documents, audit } = model.features ?? {};
  const named = [documents?.fields.uploadedBy, audit?.fields.actor].filter((name) => name !== undefined);
  return {
    secrets,
    secretPaths: secretPathsOf(model),
    actors: new Set(["actor", "uploadedBy", "deletedBy", ...named]),
    ids,
  };
}

/** The value as it is given out: without secrets, and without the names of others who were at work. Pure but for `out`. */
export function givenOut(
  { entity, isKnown }: { readonly entity: string; readonly isKnown: boolean },
  value: JsonObject,
  { rules, out }: { readonly rules: Rules; readonly out: LeavingOut },
): JsonObject {
  const { secrets, secretPaths, actors, ids } = rules;
  const hidden = secretPaths.get(entity)?.[isKnown ? "own" : "any"];
  const { value: open, left } = leavingSecretsOut(secrets, value);
  for (const path of left) out.add(entity, path, "secret");
  const reduced = (each: unknown, path: string): unknown => {
    if (Array.isArray(each)) return each.map((element, at) => reduced(element, `${path}[${at}]`));
    if (each instanceof Set) return [...each].map((element, at) => reduced(element, `${path}[${at}]`));
    if (each instanceof Uint8Array) return Buffer.from(each).toString("base64");
    if (!isRecord(each)) return each;
    return Object.fromEntries(
      Object.entries(each).flatMap(([name, inner]): [string, unknown][] => {
        const at = path === "" ? name : `${path}.${name}`;
        if (hidden?.has(withoutLists(at)) === true) {
          out.add(entity, at, "secret");
          return [];
        }
        if (actors.has(name) && typeof inner === "string" && !ids.includes(inner)) {
          out.add(entity, at, "others");
          return [];
        }
        return [[name, reduced(inner, at)]];
      }),
    );
  };
  const given = reduced(open, "");
  return isRecord(given) ? given : {};
}

/** A value as one cell of a table for people. */
export function cellOf(value: unknown): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return JSON.stringify(value);
}
