import { join } from "node:path";
import type { Config } from "../config/config.ts";
import type { Unconnected } from "../context.ts";
import type { World } from "../world.ts";

interface Started {
  readonly config: Config;
  readonly world: World;
  /** Whether questions can be asked. */
  readonly interactive: boolean;
}

type Configured = Pick<
  Unconnected,
  "backups" | "explaining" | "inventory" | "metrics" | "place" | "stateFolder"
>;

/**
 * What settings and environment say for subjects.
 * @param backupsInStore the folder of the backups of a local store.
 */
export function configuredFor({ config, world, interactive }: Started, backupsInStore: string): Configured {
  const { profile, region, endpointUrl, target, metrics, inventory } = config;
  const { namespace } = metrics;
  const cache = join(world.home, ".cache", "mawps");
  const { XDG_STATE_HOME: state = "" } = world.env;
  return {
    backups: {
      ...config.backup,
      besideStore: target === "local" ? backupsInStore : undefined,
      cwd: world.cwd,
      passphrase: world.env["MAWPS_BACKUP_PASSPHRASE"],
      askPassphrase: interactive ? (question) => world.prompts.password(question) : undefined,
      passphraseWork: world.passphraseWork,
      spool: join(cache, "spool"),
      keyFolder: join(cache, "backups"),
    },
    explaining: { profile, region, endpointUrl },
    inventory:
      inventory.bucket === undefined
        ? undefined
        : { bucket: inventory.bucket, frequency: inventory.frequency === "daily" ? "Daily" : "Weekly" },
    metrics: namespace === undefined ? undefined : { ...metrics, namespace },
    place: target === "local" ? [world.cwd, config.home] : [endpointUrl, profile],
    stateFolder: state === "" ? join(world.home, ".local", "state") : state,
  };
}
