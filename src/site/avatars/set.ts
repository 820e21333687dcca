import { createHash } from "node:crypto";
import { assertItemFits } from "../../aws/dynamodb/item-size.ts";
import { deleteObject, putObject } from "../../aws/s3/objects.ts";
import { stoppable } from "../../concurrency.ts";
import { documentUrl, type ChangingSite } from "../../documents/site.ts";
import type { Picture } from "../../images/picture.ts";
import { avatarKey } from "../../model/keys.ts";
import { pointAvatar, readAvatar, tellable, type AvatarPointer } from "./pointer.ts";

export interface SetAvatar {
  readonly userId: string;
  readonly bucket: string;
  readonly key: string;
  /** As the profile has it. The bucket is private: it opens with a link only. */
  readonly profileImage: string;
  readonly contentType: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  /** Of the stored bytes, in hex. */
  readonly sha256: string;
  readonly previousImage: string | null;
}

/**
 * Makes a picture the user's own. Order: read the profile, upload, point the profile at it. The former picture stays
 * until retention removes it; a failure takes the upload away again.
 */
export async function setAvatar(
  site: ChangingSite,
  userId: string,
  { picture, dryRun }: { readonly picture: Picture; readonly dryRun: boolean },
): Promise<SetAvatar> {
  const before = await readAvatar(site, userId);
  const key = avatarKey({
    userId,
    timestampMs: site.now().getTime(),
    random: site.randomHex(4),
    ext: picture.extension,
  });
  const { bytes, contentType, width, height } = picture;
  const profileImage = documentUrl(site, key);
  const pointed = { profileImage: { S: profileImage }, profileImageUrl: { S: profileImage } };
  assertItemFits({ ...before.item, ...pointed }, `the item of ${userId}`);
  const result: SetAvatar = {
    userId,
    bucket: site.bucket,
    key,
    profileImage,
    contentType,
    width,
    height,
    bytes: bytes.byteLength,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    previousImage: tellable(before.value),
  };
  if (dryRun) return result;
  const details = {
    bucket: site.bucket,
    key,
    previousUrl: result.previousImage ?? undefined,
    contentType,
    width,
    height,
    sizeBytes: result.bytes,
    sha256: result.sha256,
  };
  await site.audit.change({ action: "avatar.changed", userId, details }, () =>
    store(site, before, { key, picture, profileImage }),
  );
  return result;
}

async function store(
  site: ChangingSite,
  before: AvatarPointer,
  { key, picture, profileImage }: { key: string; picture: Picture; profileImage: string },
): Promise<void> {
  const { bucket } = site;
  const { version } = await putObject(site.aws, {
    bucket,
    key,
    body: picture.bytes,
    contentType: picture.contentType,
    ifNoneMatch: "*",
    signal: site.signal,
  });
  try {
    await pointAvatar(site, before, profileImage);
  } catch (error) {
    await withdraw(site, { userId: before.userId, profileImage, object: { bucket, key, version } });
    throw error;
  }
}

/**
 * Takes an upload away that nothing points to. The update may have happened with its answer lost, so the profile is asked first; where
 * even that fails, the object stays and retention removes it in time.
 */
async function withdraw(
  site: ChangingSite,
  {
    userId,
    profileImage,
    object,
  }: {
    userId: string;
    profileImage: string;
    object: { bucket: string; key: string; version: string | undefined };
  },
): Promise<void> {
  // The run may have been aborted: the clean-up has to happen all the same.
  const calm = { ...site, signal: stoppable(undefined).signal };
  const isUsed = await readAvatar(calm, userId).then(
    ({ value }) => value === profileImage,
    () => true,
  );
  // The failure before this one is what the caller must hear of.
  if (!isUsed) await deleteObject(site.aws, object).catch(() => undefined);
}
