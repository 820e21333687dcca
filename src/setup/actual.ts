import { type PolicyDocument, readPolicy } from "../aws/s3/bucket-policy.ts";
import {
  type Lifecycle,
  type StoredCorsRule,
  readCors,
  readEncryption,
  readLifecycle,
  readOwnership,
  readPublicAccessBlock,
  readVersioning,
} from "../aws/s3/bucket-settings.ts";
import { type BucketPresence, findBucket } from "../aws/s3/bucket.ts";
import { readScaling, type StoredScaling } from "../aws/autoscaling/table-scaling.ts";
import type { Aws } from "../aws/clients.ts";
import { readInventories, type StoredInventory } from "../aws/s3/inventory.ts";
import { isDenied, type Reading } from "../aws/setting.ts";
import { readExpiry, type StoredExpiry } from "../aws/dynamodb/table-expiry.ts";
import { readRecoveryWindow, type RecoveryWindow } from "../aws/dynamodb/table-recovery.ts";
import { readTable, type StoredTable } from "../aws/dynamodb/table-settings.ts";
import type { BucketDeclaration, PublicAccessBlock, TableDeclaration } from "../model/declaration.ts";

/** As read; `denied` where the caller may not read it. */
export type Seen<T> = Reading<T> | "denied";

/** A bucket as it is; settings only where there is one that can be looked at. */
export interface ActualBucket {
  readonly presence: BucketPresence;
  readonly settings?: BucketSettings;
}

export interface BucketSettings {
  readonly publicAccessBlock: Seen<PublicAccessBlock>;
  readonly policy: Seen<PolicyDocument>;
  readonly ownership: Seen<string>;
  readonly versioning: Seen<"Enabled" | "Suspended">;
  readonly encryption: Seen<string>;
  readonly lifecycle: Seen<Lifecycle>;
  readonly cors: Seen<readonly StoredCorsRule[]>;
  /** Where one is declared. */
  readonly inventories?: Seen<readonly StoredInventory[]>;
}

/** A table as it is; undefined (inside `Seen`) where there is none. */
export interface ActualTable {
  readonly table: Seen<StoredTable>;
  readonly expiry?: Seen<StoredExpiry>;
  readonly recovery?: Seen<RecoveryWindow>;
  /** Where it is declared. */
  readonly scaling?: Seen<readonly StoredScaling[]>;
}

/** Reads a bucket and those of its settings that are declared. Errors other than a missing permission pass. */
export async function readActualBucket(
  aws: Aws,
  { name: bucket, inventory }: Pick<BucketDeclaration, "name" | "inventory">,
  signal?: AbortSignal,
): Promise<ActualBucket> {
  const presence = await findBucket(aws, bucket, signal);
  if (presence.state !== "here") return { presence };
  const [publicAccessBlock, policy, ownership, versioning, encryption, lifecycle, cors, inventories] =
    await Promise.all([
      seen(readPublicAccessBlock(aws, bucket, signal)),
      seen(readPolicy(aws, bucket, signal)),
      seen(readOwnership(aws, bucket, signal)),
      seen(readVersioning(aws, bucket, signal)),
      seen(readEncryption(aws, bucket, signal)),
      seen(readLifecycle(aws, bucket, signal)),
      seen(readCors(aws, bucket, signal)),
      inventory === undefined ? undefined : seen(readInventories(aws, bucket, signal)),
    ]);
  return {
    presence,
    settings: { publicAccessBlock, policy, ownership, versioning, encryption, lifecycle, cors, inventories },
  };
}

/** Reads a table and those of its settings that are declared. Errors other than a missing permission pass. */
export async function readActualTable(
  aws: Aws,
  declared: TableDeclaration,
  signal?: AbortSignal,
): Promise<ActualTable> {
  const table = await seen(readTable(aws, declared.name, signal));
  if (table === undefined || table === "denied" || table === "unsupported") return { table };
  const [expiry, recovery, scaling] = await Promise.all([
    declared.expiryAttribute === undefined ? undefined : seen(readExpiry(aws, declared.name, signal)),
    seen(readRecoveryWindow(aws, declared.name, signal)),
    declared.capacity === undefined
      ? undefined
      : seen(
          readScaling(
            aws,
            { table: declared.name, indexes: declared.indexes.map(({ name }) => name) },
            signal,
          ),
        ),
  ]);
  return { table, expiry, recovery, scaling };
}

async function seen<T>(reading: Promise<Reading<T>>): Promise<Seen<T>> {
  try {
    return await reading;
  } catch (error) {
    if (isDenied(error)) return "denied";
    throw error;
  }
}
