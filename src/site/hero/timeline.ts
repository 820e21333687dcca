import type { HeroRole } from "../../model/keys.ts";

/**
 * The addresses that were live in one role, oldest first, without the times in between at which nothing was. The last one is
 * what the tool knew to be live last: whether it still is, the pointer tells.
 */
export type Timeline = readonly string[];

/** More than anybody goes back, and a few kilobytes of the item. */
const mostKept = 20;

/** A picture inside the item itself (a data URL) has no address to go back to; longer ones are none that a browser takes. */
const longestUrl = 2048;

/** Whether two addresses are of the same picture. */
export type Same = (one: string, other: string) => boolean;

const exactly: Same = (one, other) => one === other;

/** What is kept beside the pointers. */
export interface HeroPast extends Readonly<Record<HeroRole, Timeline>> {
  /** Pictures that were gone back from: they are before none that is live, and can be gone forward to. */
  readonly left: Timeline;
}

/** The past with another timeline of a role; what was live and is not in it any more was gone back from. */
export function withTimeline(
  past: HeroPast,
  role: HeroRole,
  { timeline, live }: { readonly timeline: Timeline; readonly live: string | null },
): HeroPast {
  const was = live === null || !canReturn(live) ? past[role] : [...past[role], live];
  const left = was.filter((url) => !timeline.includes(url) && !past.left.includes(url));
  return { ...past, [role]: timeline, left: [...new Set([...past.left, ...left])].slice(-mostKept) };
}

/** The timeline after `next` (null: nothing) took the place of `live`, which somebody else may have put there. */
export function advanced(
  line: Timeline,
  [live, next]: readonly [live: string | null, next: string | null],
  same: Same = exactly,
): Timeline {
  const longer = [...line];
  for (const url of [live, next]) {
    const last = longer.at(-1);
    if (url !== null && canReturn(url) && (last === undefined || !same(last, url))) longer.push(url);
  }
  return longer.slice(-mostKept);
}

/** Whether a rollback could bring an address back. */
function canReturn(url: string): boolean {
  return /^https?:/i.test(url) && url.length <= longestUrl;
}

/** A picture to go back to, and the timeline when that was done: what was live after it is not before it any more. */
export interface Return {
  readonly url: string;
  readonly timeline: Timeline;
}

/** What was live before `live`, the last first: where one is gone, the next one is what is left to go back to. */
export function returns(line: Timeline, live: string | null, same: Same = exactly): Return[] {
  const found: Return[] = [];
  for (let at = line.length - 1; at >= 0; at -= 1) {
    const url = line[at] ?? "";
    if (live !== null && same(url, live)) continue;
    found.push({ url, timeline: line.slice(0, at + 1) });
  }
  return found;
}

/**
 * The timeline after a rollback to `url`. One step back, it is shorter; a picture from anywhere else is a new
 * setting, behind which stands what was live.
 */
export function afterReturn(
  line: Timeline,
  { live, url }: { readonly live: string | null; readonly url: string },
  same: Same = exactly,
): Timeline {
  const [before] = returns(line, live, same);
  return before !== undefined && same(before.url, url) ? before.timeline : advanced(line, [live, url], same);
}
