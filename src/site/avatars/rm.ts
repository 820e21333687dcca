import type { ChangingSite } from "../../documents/site.ts";
import { pointAvatar, tellable, type AvatarPointer } from "./pointer.ts";

/** Takes a user's picture off their profile; its object stays until retention removes it. */
export async function removeAvatar(site: ChangingSite, pointer: AvatarPointer): Promise<void> {
  const previousUrl = tellable(pointer.value) ?? undefined;
  await site.audit.irreversible(
    { action: "avatar.removed", userId: pointer.userId, details: { previousUrl } },
    () => pointAvatar(site, pointer, undefined),
  );
}
