import type { Aws } from "../../aws/clients.ts";
import type { BackupPlan, CreateProgress } from "../../backup/create.ts";
import { measureBuckets } from "../../backup/create-files.ts";
import { stoppable } from "../../concurrency.ts";
import { count, grouped } from "../../output/text.ts";
import { leastRateMs, shareOf, transfer } from "../../output/transfer.ts";
import type { Run } from "../run.ts";

/** A line for the terminal, and the share that is done where it is known. */
export type Told = [text: string, share?: number | undefined];

export interface Whole {
  /** As DynamoDB counts them a few times a day. */
  readonly items: number;
  /** Undefined while they are being counted, and where they are not. */
  readonly files: { readonly objects: number; readonly bytes: number } | undefined;
}

/** Since when objects are read, and what had been read then, by an earlier run. */
export interface Began {
  readonly atMs: number;
  readonly bytes: number;
}

/** Tells how far the reading is. What there is in all is counted beside it, where somebody waits at a terminal; `end` ends that. */
export function followReading(
  { world, config, interactive }: Pick<Run, "world" | "config" | "interactive">,
  { aws, plan }: { aws: Aws; plan: BackupPlan },
): { tell(now: CreateProgress): Told; end(): void } {
  const items = plan.tables.reduce((sum, { measure }) => sum + measure.items, 0);
  let whole: Whole = { items, files: undefined };
  const counting = stoppable(world.signal);
  if (interactive && !config.quiet && !config.json) {
    const names = plan.buckets.map(({ name }) => name);
    measureBuckets({ aws, signal: counting.signal }, names).then(
      (files) => void (whole = { items, files }),
      // Whoever may not list is told so by the backup itself.
      () => undefined,
    );
  }
  let began: Began | undefined;
  return {
    tell(now) {
      const atMs = world.now().getTime();
      if (now.bytes > 0) began ??= { atMs, bytes: now.bytes };
      return readingText(now, { whole, began, atMs });
    },
    end: counting.stop,
  };
}

/** `bucket files: 1,200 of about 1,500 items, 40 of 90 objects, 45 MB of 200 MB, 12 MB/s, 13 s left` */
export function readingText(
  { what, items, objects, bytes: doneBytes, users, rows }: CreateProgress,
  { whole, began, atMs }: { whole: Whole; began: Began | undefined; atMs: number },
): Told {
  const itemsText =
    whole.items > items ? `${grouped(items)} of about ${grouped(whole.items)} items` : count(items, "item");
  const rowsText = rows === 0 ? "" : `, ${count(rows, "row")}`;
  const { files } = whole;
  if (files === undefined || began === undefined)
    return [
      `${what}: ${itemsText}, ${count(objects, "object")}, ${count(users, "account")}${rowsText} so far`,
    ];
  // What is put there meanwhile is read, too.
  const totalBytes = Math.max(files.bytes, doneBytes);
  const all = Math.max(files.objects, objects);
  const amount = transfer({
    doneBytes,
    totalBytes,
    movedBytes: doneBytes - began.bytes,
    elapsedMs: atMs - began.atMs < leastRateMs ? 0 : atMs - began.atMs,
  });
  return [
    `${what}: ${itemsText}, ${grouped(objects)} of ${count(all, "object")}, ${amount}${rowsText}`,
    shareOf({ doneBytes, totalBytes }),
  ];
}
