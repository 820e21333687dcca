import { createHash } from "node:crypto";
import type { Tell } from "../../amount.ts";
import { anonymousGet } from "../../aws/anonymous.ts";
import { deleteObject, loadObjects, putObject } from "../../aws/s3/objects.ts";
import { stoppable } from "../../concurrency.ts";
import { CliError } from "../../errors.ts";
import { bytes } from "../../model/bytes.ts";
import { heroKey, type HeroRole } from "../../model/keys.ts";
import type { AuditEvent } from "../../model/audit.ts";
import type { Audit } from "../../audit/audit.ts";
import { ownerId } from "../../model/user-id.ts";
import type { PreparedImage } from "./prepare.ts";
import {
  changePointer,
  liveIn,
  planPointer,
  readPointer,
  type ReadPointer,
  type Repointing,
} from "./pointer.ts";
import { heroUrl, originUrl, type HeroSite } from "./site.ts";

/** A year, the longest that caches honour; a key never gets other bytes. */
const cacheControl = "public, max-age=31536000, immutable";

export interface SetPicture {
  readonly role: HeroRole;
  readonly bucket: string;
  readonly key: string;
  readonly url: string;
  readonly contentType: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly originalBytes: number;
  /** Of the stored bytes, in hex. */
  readonly sha256: string;
  readonly previousUrl: string | null;
  readonly variants: readonly { key: string; url: string; type: string; width: number; bytes: number }[];
}

export interface SetHero {
  readonly pictures: readonly SetPicture[];
  readonly updatedAt: string;
  /** True when the public URLs gave exactly the stored bytes to an anonymous reader. */
  readonly verified: boolean;
  /** The server that gave them, where it stands in for that of the URLs, which was not asked. */
  readonly readAt?: string;
  readonly dryRun: boolean;
  /** The item's `type` that was replaced, because the website would not have found the images. */
  readonly foreignType?: string;
}

export interface SetOptions {
  readonly verify: boolean;
  readonly dryRun: boolean;
  /** Before it is open nothing is uploaded. */
  readonly audit: Audit;
  readonly now: () => Date;
  readonly randomHex: (bytes: number) => string;
  readonly onProgress: Tell;
}

/** One object to be uploaded. */
interface Upload {
  readonly key: string;
  readonly body: Uint8Array;
  readonly contentType: string;
}

interface Uploaded {
  readonly key: string;
  readonly version: string | undefined;
}

/**
 * Makes pictures the live ones as soon as they are prepared. Order: read the pointer and plan its change, upload, look at the uploads
 * from outside, then, last, one conditional update of the pointer. A crash anywhere before that leaves the old
 * picture live, and objects that never were live, which `hero list --unknown` shows; a failure removes what was uploaded.
 */
export async function setHero(
  site: HeroSite,
  preparing: Promise<readonly PreparedImage[]>,
  options: SetOptions,
): Promise<SetHero> {
  // Rendering runs in threads of its own: what is needed after it is fetched and loaded meanwhile.
  const [images, first] = await Promise.all([
    preparing,
    readPointer(site),
    options.audit.prepare(),
    loadObjects(site.aws),
  ]);
  const now = options.now();
  let read = first;
  const plans = images.map((image) => plan(site, image, { now, random: options.randomHex(4) }));
  const change: Repointing = Object.fromEntries(plans.map(({ role, target }) => [role, target]));
  const planned = (state: ReadPointer) => planPointer(state, change, now);
  let update = planned(read);
  const uploads = plans.flatMap((each) => each.uploads);

  const setAll = async () => {
    const done: Uploaded[] = [];
    try {
      await uploadAll(site, uploads, { done, onProgress: options.onProgress });
      if (options.verify) {
        options.onProgress("looking at it from outside");
        await Promise.all(uploads.map((upload) => verify(site, upload)));
      }
      // A new picture depends on none that others set meanwhile: theirs is then the one before.
      ({ read, update } = await changePointer(site, read, { plan: planned, holds: () => true }));
    } catch (error) {
      await withdraw(site, done, error);
      throw error;
    }
  };
  const isVerified = options.verify && !options.dryRun;
  const readAt = isVerified ? standIn(site) : undefined;
  const pictures = () =>
    plans.map(({ picture }) => ({ ...picture, previousUrl: liveIn(read, picture.role) }));
  const [intended] = pictures().map(changed);
  if (!options.dryRun && intended !== undefined)
    await options.audit.change(intended, setAll, () => pictures().map(changed));
  return {
    pictures: pictures(),
    updatedAt: now.toISOString(),
    verified: isVerified && readAt === undefined,
    readAt,
    dryRun: options.dryRun,
    foreignType: update.foreignType,
  };
}

function changed(picture: SetPicture): AuditEvent {
  const { role, bucket, key, url, previousUrl, sha256, contentType, width, height } = picture;
  return {
    action: "hero.changed",
    userId: ownerId,
    details: {
      role,
      bucket,
      key,
      url,
      previousUrl: previousUrl ?? undefined,
      sha256,
      contentType,
      width,
      height,
      sizeBytes: picture.bytes,
    },
  };
}

function plan(site: HeroSite, image: PreparedImage, name: { now: Date; random: string }) {
  const { role, main, variants, originalBytes } = image;
  const stem = { timestampMs: name.now.getTime(), random: name.random, role };
  const key = heroKey({ ...stem, ext: main.extension });
  const url = heroUrl(site, key);
  const described = variants.map((variant) => {
    const variantKey = heroKey({ ...stem, ext: variant.extension }, variant.width);
    return { variant, key: variantKey, url: heroUrl(site, variantKey) };
  });
  const picture: Omit<SetPicture, "previousUrl"> = {
    role,
    bucket: site.bucket,
    key,
    url,
    contentType: main.contentType,
    width: main.width,
    height: main.height,
    bytes: main.bytes.byteLength,
    originalBytes,
    sha256: createHash("sha256").update(main.bytes).digest("hex"),
    variants: described.map(({ variant, ...place }) => ({
      ...place,
      type: variant.contentType,
      width: variant.width,
      bytes: variant.bytes.byteLength,
    })),
  };
  const uploads: Upload[] = [
    { key, body: main.bytes, contentType: main.contentType },
    ...described.map(({ variant, key: variantKey }) => ({
      key: variantKey,
      body: variant.bytes,
      contentType: variant.contentType,
    })),
  ];
  const target = {
    url,
    variants: described.map(({ variant, url: variantUrl }) => ({
      url: variantUrl,
      type: variant.contentType,
      width: variant.width,
    })),
  };
  return { role, picture, uploads, target };
}

/** Uploads side by side; each that went through is noted, also when another fails. */
async function uploadAll(
  site: HeroSite,
  uploads: readonly Upload[],
  { done, onProgress }: { readonly done: Uploaded[]; readonly onProgress: Tell },
): Promise<void> {
  const amount = { done: 0, total: uploads.reduce((sum, { body }) => sum + body.byteLength, 0) };
  const tell = () => onProgress(`uploading to s3://${site.bucket}`, amount);
  tell();
  const results = await Promise.allSettled(
    uploads.map(async ({ key, body, contentType }) => {
      const stored = await putObject(site.aws, {
        bucket: site.bucket,
        key,
        body,
        contentType,
        cacheControl,
        ifNoneMatch: "*",
        signal: site.signal,
      });
      done.push({ key, version: stored.version });
      amount.done += body.byteLength;
      tell();
    }),
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** A server in AWS's place: a CDN in front of the real bucket knows nothing of what was uploaded there. */
function standIn({ aws, publicBaseUrl }: HeroSite): string | undefined {
  return publicBaseUrl === undefined ? undefined : aws.endpointUrl;
}

async function verify(site: HeroSite, { key, body }: Upload): Promise<void> {
  const url = site.aws.endpointUrl === undefined ? heroUrl(site, key) : originUrl(site, key);
  const seen = await anonymousGet(site.aws, url, site.signal);
  const expected = createHash("sha256").update(body).digest("hex");
  if (seen.status === 200 && seen.sha256 === expected) return;
  const hint = "`mawps doctor` tells why; --no-verify goes on without looking";
  if (seen.status === undefined) {
    throw new CliError(
      `whether the public can read ${url} is not known: ${seen.why}; the old picture stays live`,
      {
        hint: seen.hint ?? hint,
      },
    );
  }
  const what = seen.status === 200 ? `${bytes(seen.sizeBytes)} of other bytes` : `HTTP ${seen.status}`;
  throw new CliError(`the public cannot read ${url}: ${what}; the old picture stays live`, { hint });
}

/**
 * Removes what was uploaded for a change that did not happen. The very versions that were made, so that nothing of
 * them stays in a versioned bucket. An update of the pointer whose answer was lost may have happened: then the
 * pointer is looked at first, and what it points or pointed at stays.
 */
async function withdraw(site: HeroSite, done: readonly Uploaded[], reason: unknown): Promise<void> {
  if (done.length === 0) return;
  // The run may have been aborted: the clean-up has to happen all the same.
  const calm: HeroSite = { ...site, signal: stoppable(undefined).signal };
  try {
    const { pointer, past } = await readPointer(calm);
    const live = JSON.stringify([pointer, past]);
    const unused = done.filter(({ key }) => !live.includes(JSON.stringify(heroUrl(site, key)).slice(1, -1)));
    await Promise.all(
      unused.map(({ key, version }) => deleteObject(site.aws, { bucket: site.bucket, key, version })),
    );
  } catch (error) {
    const left = done.map(({ key }) => key).join(", ");
    throw new CliError(`${messageOf(reason)}; and what was uploaded could not be removed: ${left}`, {
      hint: "the objects are not live and do no harm: `mawps hero list --unknown` shows them",
      cause: error,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
