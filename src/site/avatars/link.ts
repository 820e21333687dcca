import { headObject } from "../../aws/s3/objects.ts";
import { presignGet } from "../../aws/s3/presign.ts";
import { assertLongEnough, signingTime, type HandedOut, type LinkSpan } from "../../documents/link.ts";
import type { ChangingSite } from "../../documents/site.ts";
import { CliError } from "../../errors.ts";
import { avatarPlace, readAvatar, tellable } from "./pointer.ts";

/**
 * Signs a link that shows a user's picture, and records it before it is handed out.
 * @throws CliError when there is no picture in a bucket of the site, or the link would end too early.
 */
export async function linkToAvatar(
  site: ChangingSite,
  userId: string,
  options: LinkSpan & { readonly dryRun: boolean },
): Promise<HandedOut> {
  const pointer = await readAvatar(site, userId);
  const place = avatarPlace(site, pointer);
  if (place === undefined) {
    const what = tellable(pointer.value);
    throw new CliError(
      what === null
        ? `${userId} has no picture`
        : `the picture of ${userId} is none of theirs in a bucket of the site: ${what}`,
      { hint: "`mawps avatar set` gives them one" },
    );
  }
  const { bucket, key } = place;
  if ((await headObject(site.aws, place, site.signal)) === undefined) {
    throw new CliError(`the picture of ${userId} is not in the bucket: ${key}`, {
      hint: "`mawps avatar set` gives them another",
    });
  }
  const link = await presignGet(site.aws, {
    bucket,
    key,
    expiresInSeconds: options.expiresInSeconds,
    now: signingTime(site),
  });
  assertLongEnough(link, options);
  const { expiresAt, endsWithSession } = link;
  if (options.dryRun) return { url: null, expiresAt, endsWithSession };
  const details = { bucket, key, method: "GET", expiresAt: expiresAt.toISOString() };
  await site.audit.record({ action: "avatar.link-created", userId, details });
  return { url: link.url, expiresAt, endsWithSession };
}
