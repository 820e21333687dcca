import { fileStamp } from "../model/file-stamp.ts";
import {
  beginNativeBackup,
  deleteNativeBackup,
  listNativeBackups,
  type NativeBackup,
  type NativeBackupContents,
  readNativeBackup,
} from "../aws/dynamodb/native-backups.ts";
import { readRestored } from "../aws/dynamodb/table-recovery.ts";
import { CliError } from "../errors.ts";
import type { AuditEvent } from "../model/audit.ts";
import type { AuditDetails } from "../model/audit-details.ts";
import type { TableDeclaration } from "../model/declaration.ts";
import type { NativeContext } from "./native-tables.ts";
import { waitUntil } from "./native-tables.ts";

/** How backups are called unless told otherwise; a run that was broken off is known by it. */
const namePrefix = "mawps-";

/** One table's backup that is to be made, or waited for. */
export interface BackupPlan {
  readonly role: string;
  readonly table: string;
  readonly name: string;
  /** Of one that AWS is making already. */
  readonly underWay: string | undefined;
}

/** A name with the moment in it: `mawps-20261121T031500Z`. */
function defaultName(now: Date): string {
  return namePrefix + fileStamp(now);
}

/** What is to be made; tables that are not there are left out. One of the same name that is under way is waited for. */
export async function planBackups(
  context: NativeContext,
  tables: readonly TableDeclaration[],
  name: string | undefined,
): Promise<BackupPlan[]> {
  const plans: BackupPlan[] = [];
  for (const { role, name: table } of tables) {
    if ((await readRestored(context.aws, table, context.signal)) === undefined) continue;
    const underWay = (await backupsOf(context, [table])).find(
      (backup) => backup.status === "CREATING" && isMeant(backup, name),
    );
    plans.push({
      role,
      table,
      name: underWay?.name ?? name ?? defaultName(context.now()),
      underWay: underWay?.arn,
    });
  }
  return plans;
}

function isMeant(backup: NativeBackup, name: string | undefined): boolean {
  return (
    backup.type === "USER" && (name === undefined ? backup.name.startsWith(namePrefix) : backup.name === name)
  );
}

/** Makes them side by side, and gives them when all can be restored from. */
export async function makeBackups(
  context: NativeContext,
  plans: readonly BackupPlan[],
): Promise<NativeBackupContents[]> {
  return context.audit.change(
    plans.map(({ table, name }) => eventOf({ table, name })),
    () => makeAll(context, plans),
    (made) =>
      made.map(({ table, arn, bytes, items }, at) =>
        eventOf({ table, name: plans[at]?.name, backupId: arn, bytes, items }),
      ),
  );
}

function eventOf(details: AuditDetails): AuditEvent {
  return { action: "backup.created", details: { engine: "native", ...details } };
}

async function makeAll(
  context: NativeContext,
  plans: readonly BackupPlan[],
): Promise<NativeBackupContents[]> {
  const made: NativeBackupContents[] = [];
  const begun: { plan: BackupPlan; arn: string }[] = [];
  for (const plan of plans) {
    context.signal?.throwIfAborted();
    begun.push({ plan, arn: plan.underWay ?? (await beginNativeBackup(context.aws, plan, context)).arn });
  }
  for (const { plan, arn } of begun) {
    const backup = await waitUntil(
      context,
      () => {
        context.progress(`DynamoDB backs up ${plan.table}`);
        return readNativeBackup(context.aws, arn, context.signal);
      },
      (seen) => seen?.status !== "CREATING",
    );
    if (backup?.status !== "AVAILABLE") {
      throw new CliError(`the backup ${plan.name} of ${plan.table} was deleted while it was made`);
    }
    made.push(backup);
  }
  return made;
}

/** The backups that AWS keeps of these tables, newest first. */
export async function backupsOf(
  { aws, signal }: NativeContext,
  tables: readonly string[],
): Promise<NativeBackup[]> {
  const found: NativeBackup[] = [];
  for (const table of tables) {
    for await (const page of listNativeBackups(aws, table, signal)) found.push(...page);
  }
  const present = found.filter(({ status }) => status !== "DELETED");
  return present.sort((one, other) => (other.createdAt?.getTime() ?? 0) - (one.createdAt?.getTime() ?? 0));
}

/** The last part of an ARN, by which people name a backup. */
export function shortId({ arn }: Pick<NativeBackup, "arn">): string {
  return arn.split("/").at(-1) ?? arn;
}

/** @throws CliError when none or several are called so. */
export async function backupNamed(
  context: NativeContext,
  named: string,
  tables: readonly string[],
): Promise<NativeBackupContents> {
  const arn = named.startsWith("arn:") ? named : oneNamed(await backupsOf(context, tables), named).arn;
  const backup = await readNativeBackup(context.aws, arn, context.signal);
  if (backup === undefined || backup.status === "DELETED") {
    throw new CliError(`DynamoDB has no backup ${named}`, { hint: "mawps backup native list shows them" });
  }
  return backup;
}

/** By the id, or by a name that only one has. */
function oneNamed(backups: readonly NativeBackup[], named: string): NativeBackup {
  const found = backups.filter((backup) => backup.name === named || shortId(backup) === named);
  const [first, second] = found;
  if (first === undefined) {
    throw new CliError(`DynamoDB has no backup ${named} of these tables`, {
      hint: "mawps backup native list shows them",
    });
  }
  if (second !== undefined) {
    const ids = found.map((backup) => `${shortId(backup)} (${backup.table})`);
    throw new CliError(`${found.length} backups are called ${named}`, {
      hint: `name one by its id, or its table with --table: ${ids.join(", ")}`,
    });
  }
  return first;
}

/** Deletes a backup for good. */
export async function removeBackup(context: NativeContext, backup: NativeBackup): Promise<void> {
  if (backup.type === "AWS_BACKUP") {
    throw new CliError(`${shortId(backup)} belongs to AWS Backup, which alone may delete it`, {
      hint: "delete its recovery point there",
    });
  }
  const details = { engine: "native", backupIds: [backup.arn], table: backup.table, name: backup.name };
  await context.audit.irreversible({ action: "backup.pruned", details }, () =>
    deleteNativeBackup(context.aws, backup.arn),
  );
}
