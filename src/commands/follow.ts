import type { Tell } from "../amount.ts";
import { leastRateMs, pace, shareOf } from "../output/transfer.ts";
import type { World } from "../world.ts";
import type { Progress } from "./spinner.ts";

/** Shows how far something is: a bar, how much of how much, how fast, and how long still. The rate begins anew with each total. */
export function follow({ world }: { readonly world: World }, progress: Progress): Tell {
  let began: { readonly atMs: number; readonly done: number; readonly total: number } | undefined;
  return (what, amount) => {
    if (amount === undefined) return progress.update(what);
    const atMs = world.now().getTime();
    if (began?.total !== amount.total) began = { ...amount, atMs };
    const elapsedMs = atMs - began.atMs;
    const moved = { moved: amount.done - began.done, elapsedMs: elapsedMs < leastRateMs ? 0 : elapsedMs };
    const { done, total } = amount;
    progress.update(`${what}: ${pace(amount, moved)}`, shareOf({ doneBytes: done, totalBytes: total }));
  };
}
