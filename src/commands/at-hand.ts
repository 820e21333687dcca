import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { replaceFile } from "../atomic-file.ts";
import { shownFile } from "../output/completion.ts";
import type { Run } from "./run.ts";

/** Users and documents as a list has shown them. */
export interface Shown {
  readonly userId: string;
  readonly id: string;
}

/** So many lines are kept, the newest first. */
export const mostShown = 1000;

/**
 * Keeps the ids that were shown in the user's own cache, where completion finds them without a call. Ids alone, and only those that
 * a shell takes as plain words. A cache that cannot be written is none, and no failure.
 */
export async function rememberShown({ world, config }: Run, shown: Iterable<Shown>): Promise<void> {
  const { home, env } = world;
  // Whoever completes is at a terminal; what a script lists is kept nowhere.
  if (config.dryRun || world.stdout.isTTY !== true) return;
  const lines = new Set<string>();
  for (const { userId, id } of shown) {
    if (lines.size >= mostShown) break;
    for (const line of [`user ${userId}`, `document ${id}`])
      if (/^\w+ \w[\w.@+-]*$/.test(line)) lines.add(line);
  }
  if (lines.size === 0) return;
  const file = shownFile(home, env);
  try {
    for (const line of (await readFile(file, "utf8").catch(() => "")).split("\n")) {
      if (line !== "" && lines.size < mostShown) lines.add(line);
    }
    // A step each: Node 20 never ends to make a folder with its parents where one of them answers ENOENT.
    await mkdir(dirname(dirname(file)), { mode: 0o700 }).catch(() => undefined);
    await mkdir(dirname(file), { mode: 0o700 }).catch(() => undefined);
    await replaceFile(file, [`${[...lines].join("\n")}\n`], { isDurable: false });
  } catch {
    // The next list tries again.
  }
}
