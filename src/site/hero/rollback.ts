import { headObject } from "../../aws/s3/objects.ts";
import { CliError } from "../../errors.ts";
import type { HeroRole } from "../../model/keys.ts";
import { chooseRollback, heroHistory, type StoredPicture } from "./history.ts";
import { planPointer, readPointer, writePointer, type HeroVariant } from "./pointer.ts";
import type { HeroSite } from "./site.ts";

export interface Rollback {
  readonly id: string;
  readonly role: HeroRole;
  readonly bucket: string;
  readonly key: string;
  readonly url: string;
  readonly previousUrl: string | null;
  /** False when that picture is live already, or with a dry run. */
  readonly changed: boolean;
  /** The item's `type` that was replaced, because the website would not have found the images. */
  readonly foreignType?: string;
}

/** Makes an earlier picture live again: one pointer update, no upload. Without an id, the one before the live one. */
export async function rollbackHero(
  site: HeroSite,
  wanted: { readonly id: string | undefined; readonly hover: boolean },
  options: { readonly dryRun: boolean; readonly now: () => Date },
): Promise<Rollback> {
  const read = await readPointer(site);
  const history = await heroHistory(site, read.pointer);
  const picture = chooseRollback(history, { id: wanted.id, role: wanted.hover ? "hover" : "default" });
  const role = wanted.hover || picture.role === "hover" ? "hover" : "default";
  const previousUrl = role === "hover" ? read.pointer.profileImageHover : read.pointer.profileImageDefault;
  const { id, key, url } = picture;
  const result = { id, role, bucket: site.bucket, key, url, previousUrl } as const;
  if (picture.current === role) return { ...result, changed: false };

  const update = planPointer(read, { [role]: { url, variants: variantsOf(picture) } }, options.now());
  const foreign = update.foreignType === undefined ? {} : { foreignType: update.foreignType };
  if (options.dryRun) return { ...result, changed: false, ...foreign };
  if ((await headObject(site.aws, { bucket: site.bucket, key }, site.signal)) === undefined) {
    throw new CliError(`the object of ${id} is gone: ${key}`, {
      hint: "`mawps hero list` shows what is there",
    });
  }
  await writePointer(site, read, update);
  return { ...result, changed: true, ...foreign };
}

function variantsOf(picture: StoredPicture): HeroVariant[] {
  return picture.variants
    .filter(({ ext }) => ext === "webp" || ext === "avif")
    .map(({ url, width, ext }) => ({ url, width, type: `image/${ext}` }));
}
