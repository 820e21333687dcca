import { CliError } from "../../errors.ts";
import type { AuditEvent } from "../../model/audit.ts";
import { ownerId } from "../../model/user-id.ts";
import { heroFolder, parseKey, type HeroRole } from "../../model/keys.ts";
import { listObjects } from "../../aws/s3/listing.ts";
import { findPicture, pictureId } from "./history.ts";
import { liveIn } from "./live.ts";
import {
  changePointer,
  isUntouched,
  planPointer,
  readPointer,
  type PointerChange,
  type ReadPointer,
} from "./pointer.ts";
import { rememberedPictures, rememberedTimeline, samePicture, type PastPicture } from "./remembered.ts";
import { addressOf } from "./addresses.ts";
import type { Context } from "../../context.ts";
import { afterReturn, returns, type Return, type Timeline } from "./timeline.ts";

export interface Rollback {
  readonly id: string;
  readonly role: HeroRole;
  /** Null for a picture that lies in no bucket of the site. */
  readonly bucket: string | null;
  readonly key: string | null;
  readonly url: string;
  readonly previousUrl: string | null;
  /** `back` to what was live before, or to the picture with an `id`. */
  readonly method: "back" | "id";
  /** False when that picture is live already, or with a dry run. */
  readonly changed: boolean;
  /** Pictures that were live in between, and whose objects are gone. */
  readonly gone: readonly string[];
  /** The item's `type` that was replaced, because the website would not have found the images. */
  readonly foreignType?: string;
}

/**
 * Makes an earlier picture live again: one pointer update, no upload. Without an id, what was live before, by the history
 * beside the pointer; where that has no more, because the website replaced the item or it began later, by the audit trail.
 * @throws CliError when neither knows of such a picture: what merely lies in the bucket is never gone back to.
 */
export async function rollbackHero(
  context: Context,
  wanted: { readonly id: string | undefined; readonly hover: boolean },
): Promise<Rollback> {
  const { audit, dryRun } = context;
  const [read] = await Promise.all([readPointer(context), audit.open()]);
  const { role, gone, picture, ...target } =
    wanted.id === undefined
      ? await stepBack(context, read, wanted.hover ? "hover" : "default")
      : await named(context, read, { id: wanted.id, hover: wanted.hover });
  const { url, timeline } = target;
  const previousUrl = liveIn(read.pointer, role);
  const address = picture === "foreign" ? undefined : picture.address;
  const result = {
    id: address === undefined ? url : pictureId(address),
    role,
    bucket: address?.bucket ?? null,
    key: address?.key ?? null,
    url,
    previousUrl,
    method: wanted.id === undefined ? "back" : "id",
    gone,
  } as const;
  if (previousUrl !== null && samePicture(context)(previousUrl, url)) return { ...result, changed: false };

  const variants = picture === "foreign" ? [] : picture.variants;
  const event: AuditEvent = {
    action: "hero.rolled-back",
    userId: ownerId,
    details: {
      role,
      bucket: result.bucket ?? undefined,
      key: result.key ?? undefined,
      url,
      previousUrl: previousUrl ?? undefined,
      method: result.method,
    },
  };
  const change: PointerChange = {
    plan: (state) => planPointer(state, { [role]: { url, variants, timeline } }, context.now()),
    holds: isUntouched(role),
    told: () => event,
  };
  const { update } = dryRun
    ? { update: change.plan(read) }
    : await audit.change(event, (commit) => changePointer(context, read, { ...change, commit }));
  return { ...result, changed: !dryRun, foreignType: update.foreignType };
}

type Found = Exclude<Awaited<ReturnType<typeof findPicture>>, "gone">;

interface Target {
  readonly role: HeroRole;
  readonly url: string;
  readonly timeline: Timeline;
  readonly picture: Found;
  readonly gone: readonly string[];
}

async function stepBack(context: Context, read: ReadPointer, role: HeroRole): Promise<Target> {
  const live = liveIn(read.pointer, role);
  const gone: string[] = [];
  const firstThere = async (candidates: readonly Return[]): Promise<Target | undefined> => {
    for (const { url, timeline } of candidates) {
      if (gone.includes(url)) continue;
      const picture = await findPicture(context, url);
      if (picture !== "gone") return { role, url, timeline, picture, gone };
      gone.push(url);
    }
    return undefined;
  };
  const found =
    (await firstThere(returns(read.past[role], live))) ??
    (await firstThere(returns(await rememberedTimeline(context, role), live, samePicture(context))));
  if (found !== undefined) return found;
  const name = role === "hover" ? "hover image" : "hero image";
  const left = gone.length === 0 ? "" : `; the objects of ${gone.length} earlier ones are gone`;
  throw new CliError(
    live === null
      ? `there is no ${name} to go back to${left}`
      : `nothing tells of an older ${name} than the live one${left}`,
    { hint: "`mawps hero list` shows what there is; `mawps hero set <image>` sets another" },
  );
}

/** The picture with an id (or that address), of those that were live once. */
async function named(
  context: Context,
  read: ReadPointer,
  { id, hover }: { readonly id: string; readonly hover: boolean },
): Promise<Target> {
  const found =
    matching(context, pastPictures(read), id) ?? matching(context, await rememberedPictures(context), id);
  if (found === undefined) throw await unknownPicture(context, id);
  const { url } = found;
  const role = hover ? "hover" : found.role;
  const picture = await findPicture(context, url);
  if (picture === "gone") {
    throw new CliError(`the object of ${id} is gone: ${url}`, {
      hint: "`mawps hero list` shows what is there",
    });
  }
  const timeline = afterReturn(
    read.past[role],
    { live: liveIn(read.pointer, role), url },
    samePicture(context),
  );
  return { role, url, timeline, picture, gone: [] };
}

/** What the item names: as live, as live before, as gone back from. */
function pastPictures({ pointer, past }: ReadPointer): PastPicture[] {
  const { profileImageDefault, profileImageHover } = pointer;
  const as = (role: HeroRole) => (url: string | null) => (url === null ? [] : [{ url, role }]);
  return [
    ...[profileImageDefault, ...past.default].flatMap(as("default")),
    ...[profileImageHover, ...past.hover].flatMap(as("hover")),
    ...past.left.map((url) => ({ url, role: undefined })),
  ];
}

function matching(
  context: Context,
  pictures: readonly PastPicture[],
  id: string,
): { readonly url: string; readonly role: HeroRole } | undefined {
  for (const { url, role } of pictures) {
    const address = addressOf(context, url);
    if (url !== id && (address === undefined || (address.key !== id && pictureId(address) !== id))) continue;
    const parsed = address === undefined ? undefined : parseKey(address.key);
    const named = parsed?.layout === "hero" && parsed.role === "hover" ? "hover" : "default";
    return { url, role: role ?? named };
  }
  return undefined;
}

/** Why a picture is not gone back to: there is none, or nothing says that it ever was a hero image. */
async function unknownPicture(context: Context, id: string): Promise<CliError> {
  const prefix = `${heroFolder}${id}`;
  for await (const { objects } of listObjects(context.aws, {
    bucket: context.buckets.publicMedia,
    prefix,
    signal: context.signal,
  })) {
    const found = objects.find(({ key }) => pictureId({ bucket: context.buckets.publicMedia, key }) === id);
    if (found === undefined) continue;
    return new CliError(`nothing says that ${found.key} ever was a hero image; it may be any other picture`, {
      hint: "to make it one: download it, then `mawps hero set <image>`",
    });
  }
  return new CliError(`there is no hero image with the id ${JSON.stringify(id)}`, {
    hint: "`mawps hero list` shows the ids",
  });
}
