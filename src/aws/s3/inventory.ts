import {
  ListBucketInventoryConfigurationsCommand,
  PutBucketInventoryConfigurationCommand,
  type InventoryConfiguration,
} from "@aws-sdk/client-s3";
import type { InventoryOrder } from "../../model/declaration.ts";
import type { Aws } from "../clients.ts";
import { onwards } from "../paging.ts";
import { reading, type Reading, type WaitOptions } from "../setting.ts";
import { settled } from "./bucket.ts";
import { nextOf } from "./listing.ts";
import { abortable } from "./objects.ts";

/** What S3 is to list of a bucket again and again, as it was ordered. */
export interface StoredInventory extends InventoryOrder {
  readonly isEnabled: boolean;
  /** Only of keys that begin with it. */
  readonly filteredBy?: string | undefined;
}

/** All that is ordered of a bucket. */
export async function readInventories(
  aws: Aws,
  bucket: string,
  signal?: AbortSignal,
): Promise<Reading<readonly StoredInventory[]>> {
  const s3 = await aws.s3();
  return reading(async () => {
    const all: StoredInventory[] = [];
    let token: string | undefined;
    const onward = onwards<string>("inventory configurations");
    do {
      const page = await s3.send(
        new ListBucketInventoryConfigurationsCommand({ Bucket: bucket, ContinuationToken: token }),
        abortable(signal),
      );
      all.push(...(page.InventoryConfigurationList ?? []).map(storedInventory));
      token = onward(nextOf(page.IsTruncated, page.NextContinuationToken));
    } while (token !== undefined);
    return all;
  });
}

/** Orders an inventory of a bucket, or orders it anew. The destination must let S3 write there by its policy. */
export async function orderInventory(
  aws: Aws,
  bucket: string,
  { order, wait }: { readonly order: InventoryOrder; readonly wait: WaitOptions },
): Promise<void> {
  const s3 = await aws.s3();
  const { id, destination, format, frequency, versions, fields } = order;
  const InventoryConfiguration: InventoryConfiguration = {
    Id: id,
    IsEnabled: true,
    IncludedObjectVersions: versions,
    Schedule: { Frequency: frequency },
    OptionalFields: [...fields] as NonNullable<InventoryConfiguration["OptionalFields"]>,
    Destination: {
      S3BucketDestination: {
        Bucket: `arn:aws:s3:::${destination.bucket}`,
        Prefix: destination.prefix,
        Format: format,
        Encryption: { SSES3: {} },
      },
    },
  };
  const input = { Bucket: bucket, Id: id, InventoryConfiguration };
  await settled(() => s3.send(new PutBucketInventoryConfigurationCommand(input)), wait);
}

function storedInventory(configuration: InventoryConfiguration): StoredInventory {
  const { Id = "", IsEnabled = false, Filter, Schedule, OptionalFields = [] } = configuration;
  const destination = configuration.Destination?.S3BucketDestination;
  return {
    id: Id,
    isEnabled: IsEnabled,
    versions: configuration.IncludedObjectVersions ?? "Current",
    frequency: Schedule?.Frequency ?? "Weekly",
    format: destination?.Format ?? "CSV",
    fields: OptionalFields,
    destination: {
      bucket: (destination?.Bucket ?? "").replace(/^arn:[^:]*:s3:::/, ""),
      prefix: destination?.Prefix,
    },
    filteredBy: Filter?.Prefix === "" ? undefined : Filter?.Prefix,
  };
}
