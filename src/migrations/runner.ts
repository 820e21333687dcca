import type { HeldLock } from "./lock.ts";
import type { MigrationSite } from "./migration.ts";
import { stateSteps, type MigrationState } from "./state.ts";

/** A run that holds the lock. */
export interface Runner {
  readonly site: MigrationSite;
  readonly lock: HeldLock;
  /** Who it is, as the audit trail names them. */
  readonly by: string;
  /** The tool and its version. */
  readonly tool: string;
  /** Items of one batch: after each batch it is noted how far the run is. */
  readonly batchSize: number;
  /** Told after each batch. */
  readonly onProgress: (id: string, counts: MigrationState["counts"]) => void;
}

/** The size of a batch where nobody says another. */
export const defaultBatchSize = 50;

/** People whose items are worked on side by side. */
export const peopleAtOnce = 8;

/** Stores a state, as long as the lock is held. */
export async function saveState({ site, lock }: Runner, state: MigrationState): Promise<void> {
  await lock.write(stateSteps(site, state));
}
