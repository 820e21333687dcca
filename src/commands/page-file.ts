import { resolve } from "node:path";
import { visible } from "../output/text.ts";
import type { Run } from "./run.ts";

/** The option that goes along with the name of a page's file. */
export const overwriteFlag = ["--overwrite", "replace a file that is there"] as const;

export interface PageFile {
  readonly path: string;
  /** Writes it whole or not at all; a dry run only tells of it. */
  write(page: Iterable<string>): Promise<void>;
}

/**
 * The file that a page goes into.
 * @throws CliError when it cannot: before anybody has waited for what would stand there.
 */
export async function pageFile(run: Run, given: string, isReplaced = false): Promise<PageFile> {
  const { assertFree, replaceFile, writeNewFile } = await import("../atomic-file.ts");
  const path = resolve(run.world.cwd, given);
  const hint = "choose another name, or replace it with --overwrite";
  await assertFree(path, { isReplaced, hint });
  return {
    path,
    async write(page) {
      if (run.config.dryRun) return run.note(`would write ${visible(path)}`);
      await (isReplaced ? replaceFile(path, page) : writeNewFile(path, page, { hint }));
    },
  };
}
