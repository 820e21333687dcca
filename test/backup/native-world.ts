import { listeningAudit } from "../support/audit.ts";
import { createBucket } from "../../src/aws/s3/bucket.ts";
import type { Aws } from "../../src/aws/clients.ts";
import { putNew } from "../../src/aws/dynamodb/records.ts";
import { enableRecovery } from "../../src/aws/dynamodb/table-recovery.ts";
import { createTable } from "../../src/aws/dynamodb/table-settings.ts";
import type { NativeContext } from "../../src/backup/native-tables.ts";
import type { AuditEvent } from "../../src/model/audit.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { openSite } from "../setup/site.ts";

export const profiles = defaultNames.tables.userProfiles;
export const migrations = defaultNames.tables.migrations;
export const exportsBucket = "mawps-exports";

/** A store with the profile and migration tables, and a site that waits a millisecond where AWS takes minutes. */
export interface NativeWorld {
  readonly aws: Aws;
  readonly site: NativeContext;
  readonly events: AuditEvent[];
  /** What was said while something was waited for. */
  readonly told: string[];
  /** How often an operation was called, by the SDK's name of it. */
  readonly calls: Map<string, number>;
  /** So many more looks find AWS still at work. */
  slowLooks: number;
  close(): Promise<void>;
}

export async function makeNativeWorld(): Promise<NativeWorld> {
  const store = await openSite();
  const { aws } = store;
  const events: AuditEvent[] = [];
  const told: string[] = [];
  const calls = new Map<string, number>();
  const world: NativeWorld = {
    aws,
    events,
    told,
    calls,
    slowLooks: 0,
    close: () => store.close(),
    site: {
      aws,
      declaration: mawps(defaultNames),
      now: () => new Date(),
      progress: (text) => void told.push(text),
      audit: listeningAudit((more) => events.push(...more)),
      firstDelayMs: 1,
    },
  };
  for (const [name, keys] of [
    [profiles, { partition: { name: "userId", type: "S" as const } }],
    [
      migrations,
      {
        partition: { name: "id", type: "S" as const },
        sort: { name: "entry", type: "S" as const },
      },
    ],
  ] as const) {
    await createTable(aws, { name, keys, indexes: [] });
    await enableRecovery(aws, name, 35);
  }
  await createBucket(aws, exportsBucket);
  await slowDown(world);
  return world;
}

/** Lets AWS seem to be at work for as long as `slowLooks` says: a local store is done at once. */
async function slowDown(world: NativeWorld): Promise<void> {
  const dynamodb = await world.aws.dynamodb();
  dynamodb.middlewareStack.add(
    (next, context) => async (args) => {
      const name = (context as { commandName?: string }).commandName ?? "";
      world.calls.set(name, (world.calls.get(name) ?? 0) + 1);
      const result = await next(args);
      if (world.slowLooks > 0 && delay(name, result.output as Answer)) world.slowLooks -= 1;
      return result;
    },
    { step: "initialize", name: "slowDown" },
  );
}

interface Answer {
  readonly Table?: { TableStatus?: string; RestoreSummary?: { RestoreInProgress?: boolean } };
  readonly BackupDescription?: { readonly BackupDetails?: { BackupStatus?: string } };
  readonly BackupSummaries?: { BackupStatus?: string }[];
  readonly ExportDescription?: { ExportStatus?: string };
}

/** Whether the answer was one that now tells of work under way. */
function delay(name: string, answer: Answer): boolean {
  const restored = answer.Table?.RestoreSummary;
  if (name === "DescribeTableCommand" && restored !== undefined && answer.Table !== undefined) {
    answer.Table.TableStatus = "CREATING";
    restored.RestoreInProgress = true;
    return true;
  }
  const details = answer.BackupDescription?.BackupDetails;
  if (details !== undefined) {
    details.BackupStatus = "CREATING";
    return true;
  }
  if (name === "DescribeExportCommand" && answer.ExportDescription !== undefined) {
    answer.ExportDescription.ExportStatus = "IN_PROGRESS";
    return true;
  }
  return false;
}

/** Writes a profile with a value. */
export async function putUser(aws: Aws, userId: string, more: Record<string, unknown> = {}): Promise<void> {
  await putNew(aws, { table: profiles, partition: "userId", records: [{ userId, ...more }] });
}
