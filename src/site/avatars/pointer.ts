import type { Condition } from "../../aws/dynamodb/expressions.ts";
import { getItem, type AttributeValue, type Item } from "../../aws/dynamodb/items.ts";
import { updateAttributes } from "../../aws/dynamodb/update-item.ts";
import { documentItemKey, refuseNobody } from "../../documents/entries.ts";
import type { DocumentSite } from "../../documents/site.ts";
import { CliError, NothingChanged } from "../../errors.ts";
import { parseKey } from "../../model/keys.ts";
import { avatarAttributes } from "../../model/mawps.ts";
import { parsePublicUrl, type ObjectAddress } from "../../model/urls.ts";

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
  const values = avatarAttributes.flatMap((attribute) => item[attribute]?.S ?? []);
  return { userId, item, value: values.find((value) => value !== "") };
}

/**
 * Points the profile at another picture, or at none: one update of both attributes and `updatedAt` alone, on condition that
 * the picture still is the one that was read.
 * @throws CliError when somebody else changed it meanwhile; theirs stays then.
 */
export async function pointAvatar(
  site: DocumentSite,
  { userId, item }: AvatarPointer,
  url: string | undefined,
): Promise<void> {
  const updatedAt: AttributeValue = { S: site.now().toISOString() };
  const outcome = await updateAttributes(site.aws, {
    table: site.table,
    key: documentItemKey(site, userId, "profile"),
    set: [
      { path: "updatedAt", value: updatedAt },
      // As the hero's pointers: null, so that the website sees that there is none.
      ...avatarAttributes.map((path) => ({ path, value: url === undefined ? { NULL: true } : { S: url } })),
    ],
    conditions: [
      { path: "userId", is: "present" },
      ...avatarAttributes.map((path): Condition => {
        const before = item[path];
        return before === undefined ? { path, is: "absent" } : { path, is: "equal", to: before };
      }),
    ],
    signal: site.signal,
  });
  if (outcome.applied) return;
  throw new NothingChanged(`somebody else changed the picture of ${userId} meanwhile; theirs stays`, {
    hint: "run the command again",
  });
}

/**
 * Where the user's picture lies, in the private bucket or in that of the website's uploads; undefined for a picture that is
 * somewhere else. An address outside of the user's own folders is none: the website lets users write their profile, which
 * must not open somebody else's file.
 */
export function avatarPlace(
  site: Pick<DocumentSite, "aws" | "bucket" | "uploadsBucket">,
  { userId, value = "" }: Pick<AvatarPointer, "userId" | "value">,
): ObjectAddress | undefined {
  const address = parsePublicUrl(value, { endpointUrl: site.aws.endpointUrl });
  if (address === undefined) return undefined;
  const parsed = parseKey(address.key);
  const isAvatar = parsed?.layout === "avatar" || parsed?.layout === "old-avatar";
  if (address.bucket !== site.bucket && address.bucket !== site.uploadsBucket) return undefined;
  if (isAvatar) return parsed.userId === userId ? address : undefined;
  const own = `profile/${userId}/`;
  const isUpload = address.bucket === site.uploadsBucket && address.key.startsWith(own);
  return isUpload && !address.key.slice(own.length).includes("/") ? address : undefined;
}

/** An address as it may be told; a data URL is a picture, and an address may end in a signature. */
export function tellable(value: string | undefined): string | null {
  if (value === undefined) return null;
  return /^https?:/i.test(value) ? value.replace(/[?#].*$/s, "") : "a picture inside the profile";
}
