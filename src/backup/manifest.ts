import { createHash } from "node:crypto";
import { canonicalJson, isDeeperThan, isRecord } from "../model/json.ts";
import { DamagedError } from "./damage.ts";
import { manifestSchema } from "./manifest-schema.ts";
import type { Manifest } from "./snapshot.ts";

/** Far more than a manifest has, and far less than what goes down into it can take. */
const maxLevels = 30;

/** The manifest as it is stored: readable JSON, with the hash of all the rest in it. */
export function manifestBytes(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify({ ...manifest, sha256: hashOf(manifest) }, undefined, 1)}\n`);
}

/** @throws DamagedError unless these are the bytes of the manifest with this id, to the last bit that means something. */
export function parseManifest(bytes: Buffer, id: string): Manifest {
  const damaged = (how: string) => new DamagedError(`the manifest of ${id} ${how}`);
  let found: unknown;
  try {
    found = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw damaged("cannot be read");
  }
  if (!isRecord(found)) throw damaged("is no manifest");
  if (isDeeperThan(found, maxLevels)) throw damaged("is nested too deep");
  const { sha256, ...manifest } = found;
  if (typeof sha256 !== "string" || sha256 !== hashOf(manifest)) throw damaged("is not what was stored");
  if (manifest["format"] !== 1) throw damaged(`has format ${String(manifest["format"])}; format 1 is known`);
  if (manifest["id"] !== id) throw damaged(`is that of ${String(manifest["id"])}`);
  if (!manifestSchema.safeParse(manifest).success) throw damaged("has not the shape of one");
  return manifest as unknown as Manifest;
}

function hashOf(manifest: unknown): string {
  return createHash("sha256").update(canonicalJson(manifest)).digest("hex");
}

/** What a snapshot holds, in numbers. */
export interface Counts {
  readonly items: number;
  readonly objects: number;
  readonly users: number;
  /** Of databases; missing where the site has none. */
  readonly rows?: number;
  /** Of the objects. */
  readonly bytes: number;
}

export function countsOf({ tables, buckets, userPool, databases }: Manifest): Counts {
  const sum = <T>(all: readonly T[], of: (one: T) => number) =>
    all.reduce((total, one) => total + of(one), 0);
  return {
    items: sum(tables, ({ items }) => items),
    objects: sum(buckets, ({ objects }) => objects),
    users: userPool?.users ?? 0,
    ...(databases === undefined ? {} : { rows: sum(databases, ({ rows }) => rows) }),
    bytes: sum(buckets, ({ bytes }) => bytes),
  };
}
