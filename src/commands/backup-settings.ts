import { join } from "node:path";
import type { BackupSettings } from "../backup/settings.ts";
import type { Config } from "../config/config.ts";
import type { World } from "../world.ts";

interface Started {
  readonly config: Config;
  readonly world: World;
  /** Whether questions can be asked. */
  readonly interactive: boolean;
}

/**
 * Where backups are kept and what opens them, as settings and environment have it.
 * @param besideStore the folder of those of a local store.
 */
export function backupSettings({ config, world, interactive }: Started, besideStore: string): BackupSettings {
  const cache = join(world.home, ".cache", "mawps");
  return {
    ...config.backup,
    besideStore: config.target === "local" ? besideStore : undefined,
    cwd: world.cwd,
    passphrase: world.env["MAWPS_BACKUP_PASSPHRASE"],
    askPassphrase: interactive ? (question) => world.prompts.password(question) : undefined,
    passphraseWork: world.passphraseWork,
    spool: join(cache, "spool"),
    keyFolder: join(cache, "backups"),
  };
}
