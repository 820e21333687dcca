import { getItem, type AttributeValue, type Item } from "../../aws/dynamodb/items.ts";
import { updateAttributes } from "../../aws/dynamodb/update-item.ts";
import { documentItemKey, refuseNobody } from "../../documents/entries.ts";
import type { DocumentSite } from "../../documents/site.ts";
import { CliError } from "../../errors.ts";
import { parseKey } from "../../model/keys.ts";
import { parsePublicUrl } from "../../model/urls.ts";

const attribute = "profileImage";

/** What a user's profile says of their picture. */
export interface AvatarPointer {
  readonly userId: string;
  /** The whole profile, as it was read. */
  readonly item: Item;
  /** As it stands there: the address of an object, of some other server, or a picture as a data URL. */
  readonly value: string | undefined;
}

/** @throws CliError when the user has no profile to keep a picture in. */
export async function readAvatar(site: DocumentSite, userId: string): Promise<AvatarPointer> {
  const { aws, table, signal } = site;
  const item = await getItem(aws, { table, key: documentItemKey(site, userId, "profile"), signal });
  if (item === undefined) {
    throw new CliError(`${userId} has no profile`, {
      hint: "the website makes one at the first login; check the id with `mawps doc list --all`",
    });
  }
  refuseNobody(userId, item);
  const value = item[attribute]?.S;
  return { userId, item, value: value === "" ? undefined : value };
}

/**
 * Points the profile at another picture, or at none: one update of `profileImage` and `updatedAt` alone, on condition that
 * the picture still is the one that was read.
 * @throws CliError when somebody else changed it meanwhile; theirs stays then.
 */
export async function pointAvatar(
  site: DocumentSite,
  { userId, item }: AvatarPointer,
  url: string | undefined,
): Promise<void> {
  const before = item[attribute];
  const updatedAt: AttributeValue = { S: site.now().toISOString() };
  const outcome = await updateAttributes(site.aws, {
    table: site.table,
    key: documentItemKey(site, userId, "profile"),
    set: [
      { path: "updatedAt", value: updatedAt },
      // As the hero's pointers: null, so that the website sees that there is none.
      { path: attribute, value: url === undefined ? { NULL: true } : { S: url } },
    ],
    conditions: [
      { path: "userId", is: "present" },
      before === undefined ? { path: attribute, is: "absent" } : { path: attribute, is: "equal", to: before },
    ],
    signal: site.signal,
  });
  if (outcome.applied) return;
  throw new CliError(`somebody else changed the picture of ${userId} meanwhile; theirs stays`, {
    hint: "run the command again",
  });
}

/**
 * The key of the user's picture in the private bucket; undefined for a picture that is somewhere else. An address outside of the
 * user's own folder is none: the website lets users write their profile, which must not open somebody else's file.
 */
export function avatarKeyOf(
  site: Pick<DocumentSite, "aws" | "bucket">,
  { userId, value = "" }: Pick<AvatarPointer, "userId" | "value">,
): string | undefined {
  const address = parsePublicUrl(value, { endpointUrl: site.aws.endpointUrl });
  if (address?.bucket !== site.bucket) return undefined;
  const parsed = parseKey(address.key);
  const isAvatar = parsed?.layout === "avatar" || parsed?.layout === "old-avatar";
  return isAvatar && parsed.userId === userId ? address.key : undefined;
}

/** An address as it may be told; a data URL is a picture, and an address may end in a signature. */
export function tellable(value: string | undefined): string | null {
  if (value === undefined) return null;
  return /^https?:/i.test(value) ? value.replace(/[?#].*$/s, "") : "a picture inside the profile";
}
