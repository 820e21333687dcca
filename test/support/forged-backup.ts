import { join } from "node:path";
import { folderStore } from "../../src/backup/folder-store.ts";
import { partWriter } from "../../src/backup/parts.ts";
import { openRepository, type Repository } from "../../src/backup/repository.ts";
import type { Manifest, Part } from "../../src/backup/snapshot.ts";
import { commitSnapshot, findSnapshot, readManifest } from "../../src/backup/snapshots.ts";
import type { TestHome } from "./world.ts";

export interface Forging {
  readonly repository: Repository;
  /** Stores lines as they are, whatever they are. */
  readonly write: (lines: readonly (string | Buffer)[]) => Promise<readonly Part[]>;
}

/** Opens a repository of the home as somebody who may write to it. */
function openRepositoryOf(home: TestHome, folder: string): Promise<Repository> {
  const unlock = { spool: join(home.folder, "spool"), randomHex: (bytes: number) => "0".repeat(2 * bytes) };
  return openRepository(folderStore(folder), unlock);
}

/** What somebody who may write to the repository makes of its newest backup: another one, under `id`. */
export async function forgeBackup(
  home: TestHome,
  id: string,
  change: (newest: Manifest, forging: Forging) => Manifest | Promise<Manifest>,
  folder = join(home.folder, "store", "backups"),
): Promise<void> {
  const repository = await openRepositoryOf(home, folder);
  const newest = await findSnapshot(repository, "latest", { now: new Date("2999-01-01T00:00:00Z") });
  const write = async (lines: readonly (string | Buffer)[]) => {
    const writer = partWriter(repository);
    for (const line of lines) await writer.add(Buffer.concat([Buffer.from(line), Buffer.from("\n")]));
    return writer.finish();
  };
  const forged = await change(await readManifest(repository, newest.id), { repository, write });
  await commitSnapshot(repository, { manifest: { ...forged, id }, recovery: { open: "" } });
}
