import { listObjects } from "../../aws/s3/listing.ts";
import { CliError } from "../../errors.ts";
import { heroFolder, parseKey, type HeroRole } from "../../model/keys.ts";
import type { HeroPointer } from "./pointer.ts";
import { heroKeyOf, heroUrl, type HeroSite } from "./site.ts";

export interface StoredPicture {
  readonly id: string;
  readonly key: string;
  readonly url: string;
  /** What the key says; the website's own names say nothing, unless the picture is live. */
  readonly role: HeroRole | "unknown";
  /** What it is live as. */
  readonly current: HeroRole | null;
  readonly bytes: number;
  /** When it was made, by its key; ISO 8601 UTC. */
  readonly createdAt: string;
  readonly variants: readonly StoredVariant[];
}

export interface StoredVariant {
  readonly key: string;
  readonly url: string;
  /** Pixels. */
  readonly width: number;
  readonly ext: string;
}

/** Every hero image in the bucket, newest first, with its variants; objects under other names are left out. */
export async function heroHistory(site: HeroSite, pointer: HeroPointer): Promise<StoredPicture[]> {
  const live = new Map<string, HeroRole>();
  for (const [role, url] of [
    ["hover", pointer.profileImageHover],
    ["default", pointer.profileImageDefault],
  ] as const) {
    const key = heroKeyOf(site, url);
    if (key !== undefined) live.set(key, role);
  }

  const pictures: Omit<StoredPicture, "variants">[] = [];
  const variants = new Map<string, StoredVariant[]>();
  for await (const { objects } of listObjects(site.aws, {
    bucket: site.bucket,
    prefix: heroFolder,
    signal: site.signal,
  })) {
    for (const { key, sizeBytes } of objects) {
      const parsed = parseKey(key);
      if (parsed?.layout !== "hero") continue;
      const url = heroUrl(site, key);
      if (parsed.width !== undefined) {
        const variant = { key, url, width: parsed.width, ext: parsed.ext };
        variants.set(parsed.id, [...(variants.get(parsed.id) ?? []), variant]);
        continue;
      }
      const current = live.get(key) ?? null;
      pictures.push({
        id: parsed.id,
        key,
        url,
        role: parsed.role === "unknown" ? (current ?? "unknown") : parsed.role,
        current,
        bytes: sizeBytes,
        createdAt: new Date(parsed.timestampMs).toISOString(),
      });
    }
  }
  return pictures
    .map((picture) => ({ ...picture, variants: variants.get(picture.id) ?? [] }))
    .sort((one, other) => compare(other.createdAt, one.createdAt) || compare(one.key, other.key));
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/**
 * The picture to go back to.
 *
 * | id    | live picture of the role | answer                                          |
 * |-------|--------------------------|-------------------------------------------------|
 * | given | any                      | the picture with that id                        |
 * | none  | in the history           | the next older one that can stand in that role  |
 * | none  | none, or elsewhere       | the newest one that can stand in that role      |
 *
 * A picture can stand in a role that its key names; where the key names none, as `default`.
 * @throws CliError when there is no such picture.
 */
export function chooseRollback(
  history: readonly StoredPicture[],
  wanted: { readonly id: string | undefined; readonly role: HeroRole },
): StoredPicture {
  if (wanted.id !== undefined) {
    const found = history.find(({ id }) => id === wanted.id);
    if (found !== undefined) return found;
    throw new CliError(`there is no hero image with the id ${JSON.stringify(wanted.id)}`, {
      hint: "`mawps hero list` shows the ids",
    });
  }
  const candidates = history.filter(
    ({ role }) => role === wanted.role || (role === "unknown" && wanted.role === "default"),
  );
  const live = candidates.findIndex(({ current }) => current === wanted.role);
  const chosen = candidates[live + 1];
  if (chosen !== undefined) return chosen;
  const name = wanted.role === "hover" ? "hover image" : "hero image";
  throw new CliError(
    live === -1 ? `there is no ${name} to go back to` : `there is no older ${name} than the live one`,
    {
      hint: "`mawps hero list` shows what there is",
    },
  );
}
