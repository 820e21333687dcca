import { beginRestoreFromBackup, type NativeBackupContents } from "../aws/dynamodb/native-backups.ts";
import { type LostSettings, readSettings, restoreSettings } from "../aws/dynamodb/restore-settings.ts";
import { errorName, isRepeated } from "../aws/setting.ts";
import {
  beginRestoreToTime,
  readRecoveryWindow,
  readRestored,
  type RecoveryWindow,
  type RestoredTable,
} from "../aws/dynamodb/table-recovery.ts";
import { CliError } from "../errors.ts";
import type { NativeContext } from "./native-tables.ts";
import { waitUntil, wholeSecond } from "./native-tables.ts";

/** What a new table is made from. */
export type RestoreSource =
  | {
      readonly kind: "time";
      readonly table: string;
      /** To the second. */
      readonly at: Date | "latest";
      /** Whether the moment was named, so that a second run means the same one. */
      readonly isNamed: boolean;
    }
  | { readonly kind: "backup"; readonly backup: NativeBackupContents };

/** `begin`: there is no such table. `wait`: AWS is at it already. `settle`: only the settings may be left. */
type RestoreStep = "begin" | "wait" | "settle";

export interface RestorePlan {
  readonly step: RestoreStep;
  readonly source: RestoreSource;
  readonly target: string;
  /** The moment whose state the new table gets. */
  readonly at: Date | undefined;
  readonly settings: LostSettings;
}

export interface RestoreOutcome {
  readonly table: string;
  readonly from: string;
  readonly at: Date | undefined;
  /** As DynamoDB counts, every six hours: of a table just restored often 0. */
  readonly settings: readonly string[];
  readonly unsupported: readonly string[];
}

export function sourceTable(source: RestoreSource): string {
  return source.kind === "time" ? source.table : source.backup.table;
}

/**
 * What is to be done for a new table; nothing is changed.
 * @throws CliError for a target that is there and came from anything else: no table is ever restored into.
 */
export async function planRestore(
  context: NativeContext,
  { source, target }: { source: RestoreSource; target: string },
): Promise<RestorePlan> {
  const { aws, signal } = context;
  const found = await readRestored(aws, target, signal);
  const step = decideStep(found, source, target);
  const at =
    step === "begin"
      ? await momentOf(context, source)
      : (found?.restored?.at ?? (await momentOf(context, source)));
  return { step, source, target, at, settings: await settingsOf(context, source) };
}

/**
 * | target                                   | step    |
 * |------------------------------------------|---------|
 * | not there                                | begin   |
 * | restored from this, under way            | wait    |
 * | restored from this very moment or backup | settle  |
 * | anything else                            | refused |
 *
 * Under way a moment that was not named counts as the same: `2h ago` is another one at each run.
 */
export function decideStep(
  found: RestoredTable | undefined,
  source: RestoreSource,
  target: string,
): RestoreStep {
  if (found === undefined) return "begin";
  const { restored } = found;
  if (restored !== undefined && restored.from === sourceTable(source)) {
    if (isStateOf(restored, source)) return found.isReady ? "settle" : "wait";
    if (!found.isReady && source.kind === "time" && !source.isNamed && restored.backup === undefined)
      return "wait";
  }
  const again =
    source.kind === "time" && !source.isNamed && restored?.from === source.table && restored.at !== undefined
      ? `; it has the state of ${source.table} at ${restored.at.toISOString()}: with --at ${restored.at.toISOString()} its settings are completed`
      : "";
  throw new CliError(`table ${target} already exists; nothing was changed`, {
    hint: `name a table that does not exist: what is there is never overwritten${again}`,
  });
}

type Restored = NonNullable<RestoredTable["restored"]>;

/** Of this very backup or named moment, to the second; the latest is another one each time. */
function isStateOf({ from, backup, at }: Restored, source: RestoreSource): boolean {
  if (from !== sourceTable(source)) return false;
  if (source.kind === "backup") return backup === source.backup.arn;
  if (backup !== undefined || source.at === "latest" || at === undefined) return false;
  return wholeSecond(at).getTime() === wholeSecond(source.at).getTime();
}

async function momentOf(context: NativeContext, source: RestoreSource): Promise<Date | undefined> {
  if (source.kind === "backup") return source.backup.createdAt;
  const window = await readRecoveryWindow(context.aws, source.table, context.signal);
  if (window === undefined) {
    throw new CliError(`table ${source.table} does not exist`, {
      hint: "a table that was deleted comes back from its last backup: `mawps backup native list`",
    });
  }
  if (window === "unsupported") throw new CliError("this server knows no point-in-time recovery");
  return momentWithin(source, window);
}

/** @throws CliError when the table has no recovery, or none for that moment. */
export function momentWithin(
  { table, at }: { table: string; at: Date | "latest" },
  { enabled, earliest, latest }: RecoveryWindow,
): Date | undefined {
  if (!enabled) {
    throw new CliError(`point-in-time recovery of ${table} is off: there is no earlier state to restore`, {
      hint: "switch it on for the time to come (`mawps backup pitr enable`), and look for backups: `mawps backup native list`",
    });
  }
  const first = earliest === undefined ? undefined : wholeSecond(earliest);
  if (at === "latest") {
    // Rounded down it must not fall out of a window that is only just open.
    const moment = latest === undefined ? undefined : wholeSecond(latest);
    return moment === undefined || (first !== undefined && moment < first) ? undefined : moment;
  }
  if ((first === undefined || at >= first) && (latest === undefined || at <= latest)) return at;
  const reaches = [earliest, latest].map((moment) => moment?.toISOString() ?? "?").join(" to ");
  throw new CliError(
    `${table} cannot be restored to ${at.toISOString()}: its recovery reaches from ${reaches}`,
    {
      hint: "choose a moment in between, or --at latest",
    },
  );
}

/** The settings of the source as they are now; of a table that is gone, what the backup and the model know. */
async function settingsOf(context: NativeContext, source: RestoreSource): Promise<LostSettings> {
  const name = sourceTable(source);
  const described = await readSettings(context.aws, name, context.signal);
  if (described !== undefined) return described;
  const declared = context.declaration.tables.find((table) => table.name === name);
  const backup = source.kind === "backup" ? source.backup : undefined;
  const expiryAttribute = backup?.expiryAttribute ?? declared?.expiryAttribute;
  const stream = backup?.stream;
  return {
    tags: {},
    deletionProtection: declared !== undefined,
    expiryAttribute,
    recoveryDays: declared?.recoveryDays,
    stream,
  };
}

/**
 * Makes the new table, waits for it, and gives it the settings that DynamoDB leaves out. Interrupted, the same plan made
 * anew goes on where this one stopped.
 */
export async function carryOutRestore(context: NativeContext, plan: RestorePlan): Promise<RestoreOutcome> {
  const { source, target, at } = plan;
  const from = sourceTable(source);
  const details = {
    table: from,
    to: target,
    from: at?.toISOString(),
    ...(source.kind === "backup" ? { backupId: source.backup.arn } : {}),
  };
  const restore = async (): Promise<RestoreOutcome> => {
    if (plan.step === "begin") await begin(context, plan);
    const restored = await untilReady(context, target);
    context.progress(`writing the settings of ${target}`);
    const { written, unsupported } = await restoreSettings(context.aws, target, plan.settings, context);
    return { table: target, from, at: restored.restored?.at ?? at, settings: written, unsupported };
  };
  const event = { action: "table.restored", details } as const;
  const outcome = ({ settings }: RestoreOutcome) => ({ steps: settings });
  // What was begun before has its intent.
  return plan.step === "begin"
    ? context.audit.irreversible(event, restore, outcome)
    : context.audit.change(event, restore, (result) => ({ ...outcome(result), phase: "done" }));
}

/** A table that came of a first attempt of our own, whose answer was lost, is no other's. */
async function begin({ aws, signal }: NativeContext, { source, target, at }: RestorePlan): Promise<void> {
  const from = sourceTable(source);
  try {
    await (source.kind === "backup"
      ? beginRestoreFromBackup(aws, { arn: source.backup.arn, target })
      : beginRestoreToTime(aws, { source: from, target, at: at ?? "latest" }));
  } catch (error) {
    if (errorName(error) !== "TableAlreadyExistsException" || !isRepeated(error)) throw error;
    const { restored } = (await readRestored(aws, target, signal)) ?? {};
    const isLatest = source.kind === "time" && source.at === "latest";
    const isOurs = isLatest
      ? restored?.from === from && restored.backup === undefined
      : restored !== undefined && isStateOf(restored, source);
    if (!isOurs) throw error;
  }
}

/** A table just asked for may not be seen everywhere at once. */
const looksForMissing = 20;

async function untilReady(context: NativeContext, target: string): Promise<RestoredTable> {
  const began = context.now().getTime();
  let missing = 0;
  const seen = await waitUntil(
    context,
    async () => {
      const found = await readRestored(context.aws, target, context.signal);
      missing = found === undefined ? missing + 1 : 0;
      const minutes = Math.floor((context.now().getTime() - began) / 60_000);
      context.progress(`DynamoDB restores ${target}: ${found?.status ?? "not seen yet"}, ${minutes} min`);
      return found;
    },
    (found) => found?.isReady === true || missing >= looksForMissing,
  );
  if (seen === undefined) throw new CliError(`DynamoDB began table ${target}, and then there was none`);
  return seen;
}
