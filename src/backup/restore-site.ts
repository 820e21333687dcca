import type { IsErased } from "./erasures.ts";
import type { Aws } from "../aws/clients.ts";
import { CliError } from "../errors.ts";
import type { Declaration } from "../model/declaration.ts";
import { ownersOf, type Owners } from "../model/ownership.ts";
import type { Model } from "../model/schema.ts";
import type { Database } from "../sql/database.ts";
import type { NewIds } from "./remap.ts";
import type { Tell } from "../amount.ts";
import type { Repository } from "./repository.ts";
import type { LeftKey, RestoreScope } from "./restore-scope.ts";
import type { Manifest } from "./snapshot.ts";

/**
 * What happens to something that is there and differs from the snapshot. `fail`: nothing at all is restored. `newer`: it is
 * overwritten where the snapshot's is the later one.
 */
export type OnConflict = "fail" | "skip" | "newer" | "replace";

/** Where a snapshot is restored to, and how. */
export interface RestoreSite {
  readonly aws: Aws;
  /** Where the tables lie that DynamoDB exported itself; by default the place that is restored to. */
  readonly exportsAt?: Aws;
  readonly repository: Repository;
  /** Those of the model, open, their names already with any prefix; missing where it has none, or they are left out. */
  readonly databases?: readonly Database[] | undefined;
  readonly manifest: Manifest;
  /** By which kinds of items are told apart. */
  readonly model: Model;
  /** Of the place that is restored to, its names already with any prefix. */
  readonly declaration: Declaration;
  /** Stands in front of the declaration's names; empty where the site itself is restored. */
  readonly prefix: string;
  /** For the one table that is restored: another name. */
  readonly intoTable?: string;
  readonly onConflict: OnConflict;
  readonly scope: RestoreScope;
  /** Whether somebody is on the erasure ledger. */
  readonly isErased: IsErased;
  /** With `--remap`: who has which id now, and who of the snapshot has no account yet. */
  readonly ids?: { readonly newIds: NewIds; readonly missing: ReadonlySet<string> };
  readonly spool: string;
  readonly signal: AbortSignal;
  now(): Date;
  readonly onProgress: Tell;
  /** Milliseconds before the first look again at a table that is being made. Tests shorten it. */
  readonly firstDelayMs?: number;
}

/** What becomes of one item or object. */
export const fates = ["left out", "create", "same", "conflict", "overwrite", "suppressed"] as const;
export type Fate = (typeof fates)[number];

export interface FateCounts {
  create: number;
  same: number;
  /** Differs, and stays as it is. */
  conflict: number;
  overwrite: number;
  suppressed: number;
}

export function noCounts(): FateCounts {
  return { create: 0, same: 0, conflict: 0, overwrite: 0, suppressed: 0 };
}

/** One that could not be written. */
export interface Failure {
  readonly left: LeftKey;
  readonly why: string;
}

/**
 * A name in the place that is restored to, by its role alone: a manifest's own names say only where things were.
 * @throws CliError for a role that the model does not declare for this kind of thing.
 */
export function destinationOf(
  { declaration, intoTable }: Pick<RestoreSite, "declaration" | "intoTable">,
  kind: "table" | "bucket",
  { role, name }: { readonly role: string; readonly name: string },
): string {
  if (kind === "table" && intoTable !== undefined) return intoTable;
  const declared: readonly { readonly role: string; readonly name: string }[] =
    kind === "table" ? declaration.tables : declaration.buckets;
  const found = declared.find((each) => each.role === role);
  if (found === undefined) throw new CliError(`the model declares no ${kind} ${name} (${role})`);
  return found.name;
}

/** By what the destination's declaration says, of things called by their roles. */
export function ownersIn(site: Pick<RestoreSite, "declaration">): Owners {
  return ownersOf(site.declaration);
}

/** What differs under a policy: `isNewer` is asked only where it matters. */
export function fateOfDifferent(onConflict: OnConflict, isNewer: () => boolean): "conflict" | "overwrite" {
  switch (onConflict) {
    case "fail":
    case "skip":
      return "conflict";
    case "newer":
      return isNewer() ? "overwrite" : "conflict";
    case "replace":
      return "overwrite";
  }
}
