import { trailOf } from "../../audit/place.ts";
import { pictureEntries } from "../../audit/pictures.ts";
import type { AuditEntry } from "../../model/audit.ts";
import type { HeroRole } from "../../model/keys.ts";
import { ownerId } from "../../model/user-id.ts";
import { addressOf, urlOf } from "./addresses.ts";
import type { Context } from "../../context.ts";
import { advanced, afterReturn, returns, type Same, type Timeline } from "./timeline.ts";

/** A picture that was live, and as what, where that is known. */
export interface PastPicture {
  readonly url: string;
  readonly role: HeroRole | undefined;
}

/** Every picture that the audit trail tells of as live, now or before, the last first. */
export async function rememberedPictures(context: Context): Promise<PastPicture[]> {
  const entries = await pictureEntries(trailOf(context), ownerId);
  return entries.reverse().flatMap(({ details }) => {
    const role = details["role"] === "hover" ? "hover" : "default";
    const previous = typeof details["previousUrl"] === "string" ? details["previousUrl"] : null;
    return [urlIn(context, details), previous].flatMap((url) =>
      url === null ? [] : [{ url, role } as const],
    );
  });
}

/** A role's timeline, made anew from every change that the audit trail tells of. */
export async function rememberedTimeline(context: Context, role: HeroRole): Promise<Timeline> {
  const entries = await pictureEntries(trailOf(context), ownerId);
  const same = samePicture(context);
  let line: Timeline = [];
  for (const { action, details } of entries) {
    if (details["role"] !== role || details["phase"] === "failed") continue;
    const before = typeof details["previousUrl"] === "string" ? details["previousUrl"] : null;
    const url = urlIn(context, details);
    if (action === "hero.changed") line = advanced(line, [before, url], same);
    else if (action === "hero.removed") line = advanced(line, [before, null], same);
    else if (action === "hero.rolled-back" && url !== null) {
      const back = returns(line, before, same).find((each) => same(each.url, url));
      line =
        details["method"] === "back" && back !== undefined
          ? back.timeline
          : afterReturn(line, { live: before, url }, same);
    }
  }
  return line;
}

function urlIn(context: Context, { url, bucket, key }: AuditEntry["details"]): string | null {
  if (typeof url === "string") return url;
  return typeof bucket === "string" && typeof key === "string" ? urlOf(context, { bucket, key }) : null;
}

/** Addresses of one object are the same picture, whatever stands in front of the bucket. */
export function samePicture(context: Context): Same {
  const identity = (url: string) => {
    const address = addressOf(context, url);
    return address === undefined ? url : `${address.bucket}/${address.key}`;
  };
  return (one, other) => one === other || identity(one) === identity(other);
}
