import { createHash } from "node:crypto";
import { anonymousGet } from "../../aws/anonymous.ts";
import { deleteObject, loadObjects, putObject } from "../../aws/s3/objects.ts";
import type { Commit } from "../../audit/commit.ts";
import { stoppable } from "../../concurrency.ts";
import { CliError, NothingChanged } from "../../errors.ts";
import { bytes } from "../../model/bytes.ts";
import { heroKey, type HeroRole } from "../../model/keys.ts";
import type { AuditEvent } from "../../model/audit.ts";
import { ownerId } from "../../model/user-id.ts";
import type { ImagesUnderWay, PreparedImage } from "./prepare.ts";
import { liveIn } from "./live.ts";
import { changePointer, planPointer, readPointer, type ReadPointer, type Repointing } from "./pointer.ts";
import { heroUrl, originUrl } from "./addresses.ts";
import type { Context } from "../../context.ts";

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
  /** Kinds of metadata that the public bytes hold: only where they are the original's. */
  readonly keptMetadata: readonly string[];
  /** The item's `type` that was replaced, because the website would not have found the images. */
  readonly foreignType?: string;
}

export interface SetOptions {
  /** Looks at the public URLs before the pictures become the live ones. */
  readonly verify: boolean;
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
 * Makes pictures the live ones as soon as they are rendered. Order: read the pointer and plan its change, upload, look at the uploads
 * from outside, then, last, one conditional update of the pointer with its entry in the trail. A crash anywhere before that leaves the old
 * picture live, and objects that never were live, which `hero list --unknown` shows; a failure removes what was uploaded.
 */
export async function setHero(
  context: Context,
  { prepared }: ImagesUnderWay,
  options: SetOptions,
): Promise<SetHero> {
  const { audit, dryRun } = context;
  context.progress("preparing the picture");
  // What is needed after the rendering is fetched and loaded meanwhile.
  const [images, first] = await Promise.all([
    prepared,
    readPointer(context),
    audit.open(),
    loadObjects(context.aws),
  ]);
  const now = context.now();
  let read = first;
  const plans = images.map((image) => plan(context, image, { now, random: context.randomHex(4) }));
  const change: Repointing = Object.fromEntries(plans.map(({ role, target }) => [role, target]));
  const planned = (state: ReadPointer) => planPointer(state, change, now);
  let update = planned(read);
  const uploads = plans.flatMap((each) => each.uploads);

  const pictures = (over: ReadPointer) =>
    plans.map(({ picture }) => ({ ...picture, previousUrl: liveIn(over.pointer, picture.role) }));
  const told = (over: ReadPointer) => pictures(over).map(changed);
  const setAll = async (commit: Commit) => {
    const done: Uploaded[] = [];
    try {
      await uploadAll(context, uploads, done);
      if (options.verify) {
        context.progress("looking at it from outside");
        await Promise.all(uploads.map((upload) => verify(context, upload)));
      }
      // A new picture depends on none that others set meanwhile: theirs is then the one before.
      ({ read, update } = await changePointer(context, read, {
        plan: planned,
        holds: () => true,
        told,
        commit,
      }));
    } catch (error) {
      await withdraw(context, done, error);
      throw error;
    }
  };
  const isVerified = options.verify && !dryRun;
  const readAt = isVerified ? standIn(context) : undefined;
  if (!dryRun) await audit.change(told(read), setAll);
  return {
    pictures: pictures(read),
    updatedAt: now.toISOString(),
    verified: isVerified && readAt === undefined,
    readAt,
    dryRun,
    keptMetadata: [...new Set(images.flatMap((image) => image.keptMetadata))],
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

function plan(context: Context, image: PreparedImage, name: { now: Date; random: string }) {
  const { role, main, variants, originalBytes } = image;
  const stem = { timestampMs: name.now.getTime(), random: name.random, role };
  const key = heroKey({ ...stem, ext: main.extension });
  const url = heroUrl(context, key);
  const described = variants.map((variant) => {
    const variantKey = heroKey({ ...stem, ext: variant.extension }, variant.width);
    return { variant, key: variantKey, url: heroUrl(context, variantKey) };
  });
  const picture: Omit<SetPicture, "previousUrl"> = {
    role,
    bucket: context.buckets.publicMedia,
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
async function uploadAll(context: Context, uploads: readonly Upload[], done: Uploaded[]): Promise<void> {
  const amount = { done: 0, total: uploads.reduce((sum, { body }) => sum + body.byteLength, 0) };
  const tell = () => context.progress(`uploading to s3://${context.buckets.publicMedia}`, amount);
  tell();
  const results = await Promise.allSettled(
    uploads.map(async ({ key, body, contentType }) => {
      const stored = await putObject(context.aws, {
        bucket: context.buckets.publicMedia,
        key,
        body,
        contentType,
        cacheControl,
        ifNoneMatch: "*",
        signal: context.signal,
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
function standIn({ aws, publicBaseUrl }: Context): string | undefined {
  return publicBaseUrl === undefined ? undefined : aws.endpointUrl;
}

async function verify(context: Context, { key, body }: Upload): Promise<void> {
  const url = context.aws.endpointUrl === undefined ? heroUrl(context, key) : originUrl(context, key);
  const seen = await anonymousGet(context.aws, url, context.signal);
  const expected = createHash("sha256").update(body).digest("hex");
  if (seen.status === 200 && seen.sha256 === expected) return;
  const hint = "`mawps doctor` tells why; --no-verify goes on without looking";
  if (seen.status === undefined) {
    throw new NothingChanged(
      `whether the public can read ${url} is not known: ${seen.why}; the old picture stays live`,
      {
        hint: seen.hint ?? hint,
      },
    );
  }
  const what = seen.status === 200 ? `${bytes(seen.sizeBytes)} of other bytes` : `HTTP ${seen.status}`;
  throw new NothingChanged(`the public cannot read ${url}: ${what}; the old picture stays live`, { hint });
}

/**
 * Removes what was uploaded for a change that did not happen. The very versions that were made, so that nothing of
 * them stays in a versioned bucket. An update of the pointer whose answer was lost may have happened: then the
 * pointer is looked at first, and what it points or pointed at stays.
 */
async function withdraw(context: Context, done: readonly Uploaded[], reason: unknown): Promise<void> {
  if (done.length === 0) return;
  // The run may have been aborted: the clean-up has to happen all the same.
  const calm: Context = { ...context, signal: stoppable(undefined).signal };
  try {
    const { pointer, past } = await readPointer(calm);
    const live = JSON.stringify([pointer, past]);
    const unused = done.filter(
      ({ key }) => !live.includes(JSON.stringify(heroUrl(context, key)).slice(1, -1)),
    );
    await Promise.all(
      unused.map(({ key, version }) =>
        deleteObject(context.aws, { bucket: context.buckets.publicMedia, key, version }),
      ),
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
