import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { userConfigFolder, type FoundFile } from "./config-file.ts";
import { replaceFile } from "../atomic-file.ts";
import { makeFolders } from "../make-folders.ts";
import { valueOf, type Resolved } from "./config.ts";
import { settingsOf, type SettingKey } from "./settings.ts";
import { modelHash } from "../model/hash.ts";
import type { Access, World } from "../world.ts";

/** Settings that say to which server what is the user's own goes: credentials, items, documents. */
const servers = ["endpointUrl", "clamav.host", "clamav.socket"] as const satisfies readonly SettingKey[];

/** Settings that say where on AWS it is written, for whom, and what the website shows: names that anybody can have. */
const places = [
  "model",
  "publicBaseUrl",
  "cdnBaseUrl",
  "backup.repository",
  "backup.encryptTo",
  "metrics.namespace",
  "metrics.topic",
  "inventory.bucket",
  "anchorBucket",
  "anchorLock",
] as const satisfies readonly SettingKey[];

/**
 * Where a configuration file sends things that was only found on the way up from the current folder: it may have come
 * with somebody else's folder. A file that was named, or lies in the user's own folder, is their own word. What it only repeats of
 * the defaults, and folders beside it, are nobody else's.
 */
export function placesOfOthers(
  { config, sources }: Resolved,
  file: FoundFile | undefined,
  access: Access,
): string[] {
  if (file === undefined || file.isOwnWord) return [];
  const isOnAws = config.target === "aws";
  const used = [
    ...servers.filter((key) => key !== "endpointUrl" || isOnAws),
    ...(isOnAws && access === "writes" ? [...writtenBuckets(config), ...places] : []),
  ];
  const settings: Readonly<Record<string, { readonly fallback: unknown }>> = settingsOf(config.site);
  const folder = dirname(file.path);
  return used.flatMap((key) => {
    const value = valueOf(config, key);
    if (typeof value !== "string" || value === settings[key]?.fallback || sources[key] !== file.path)
      return [];
    const isBeside = key === "backup.repository" && value.startsWith(`${folder}${sep}`);
    return isBeside ? [] : [value];
  });
}

/** Those that the site does not keep itself. */
function writtenBuckets({ site }: Resolved["config"]): SettingKey[] {
  const written = Object.entries(site.buckets).filter(([, { keptBy }]) => keptBy !== "site");
  return written.map(([role]) => `buckets.${role}` as SettingKey);
}

/** A file, and what it says by itself and by the model file that it names: who changes either has to be believed anew. */
export interface Word {
  readonly path: string;
  readonly text: string;
}

/** What a configuration file says, with the model that it names. */
export function wordOf(
  { config, sources }: Resolved,
  { path, text }: Pick<FoundFile, "path" | "text">,
): Word {
  const isModelFile = sources.model === path && /[./\\]/.test(config.model);
  return { path, text: isModelFile ? `${text}\0${modelHash(config.site)}` : text };
}

/** Whether the user has said before that this file, as it is now, may be believed. */
export async function isTrusted(world: TrustWorld, { path, text }: Word): Promise<boolean> {
  return (await readTrusted(world)).get(path) === hashOf(text);
}

/** Keeps in the user's own folder that this file, as it is now, may be believed. */
export async function trust(world: TrustWorld, { path, text }: Word): Promise<void> {
  const trusted = (await readTrusted(world)).set(path, hashOf(text));
  const file = trustedFile(world);
  await makeFolders(userConfigFolder(world), 0o700);
  await replaceFile(file, [`${JSON.stringify([...trusted], undefined, 2)}\n`]);
}

type TrustWorld = Pick<World, "home" | "env" | "platform">;

/** Pairs of a file's path and its content's hash. What cannot be read is asked about again. */
async function readTrusted(world: TrustWorld): Promise<Map<unknown, unknown>> {
  try {
    return new Map(JSON.parse(await readFile(trustedFile(world), "utf8")) as [unknown, unknown][]);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return new Map();
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw error;
  }
}

function trustedFile(world: TrustWorld): string {
  return join(userConfigFolder(world), "trusted.json");
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
