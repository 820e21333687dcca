import { isDenied, isUnsupported } from "../aws/setting.ts";
import { readRecoveryWindow, type RecoveryWindow } from "../aws/dynamodb/table-recovery.ts";
import { enableRecovery } from "../aws/dynamodb/table-recovery.ts";
import type { TableDeclaration } from "../model/declaration.ts";
import type { NativeContext } from "./native-tables.ts";

/** Point-in-time recovery of one table; `state` in words a script can tell apart. */
export interface RecoveryStatus {
  readonly role: string;
  readonly table: string;
  readonly state: "on" | "off" | "no table" | "unknown to this server" | "may not be read";
  readonly days: number | undefined;
  readonly earliest: Date | undefined;
  readonly latest: Date | undefined;
}

/** Of each table; the site's own only where they are there. */
export async function recoveryStatus(
  { aws, signal }: Pick<NativeContext, "aws" | "signal">,
  tables: readonly TableDeclaration[],
): Promise<RecoveryStatus[]> {
  const all = await Promise.all(
    tables.map(async ({ role, name, keptBy }) => {
      const window = await readRecoveryWindow(aws, name, signal).catch((error: unknown) => {
        if (isDenied(error)) return "denied" as const;
        throw error;
      });
      const seen: Partial<RecoveryWindow> = typeof window === "object" ? window : {};
      return {
        role,
        table: name,
        state: stateOf(window),
        days: seen.days,
        earliest: seen.earliest,
        latest: seen.latest,
        isLeft: keptBy === "site" && window === undefined,
      };
    }),
  );
  return all.flatMap(({ isLeft, ...status }) => (isLeft ? [] : [status]));
}

function stateOf(window: RecoveryWindow | "denied" | "unsupported" | undefined): RecoveryStatus["state"] {
  if (window === undefined) return "no table";
  if (window === "denied") return "may not be read";
  if (window === "unsupported") return "unknown to this server";
  return window.enabled ? "on" : "off";
}

/** Recovery that is to be switched on, or to reach further back. */
export interface RecoveryChange {
  readonly role: string;
  readonly table: string;
  readonly days: number;
  /** Undefined where it is off. */
  readonly daysBefore: number | undefined;
}

/**
 * What has to change so that each table can be restored over so many days; default what is declared. A longer period is
 * never cut: what lies further back would be gone.
 */
export function recoveryChanges(
  tables: readonly TableDeclaration[],
  stati: readonly RecoveryStatus[],
  days?: number,
): RecoveryChange[] {
  return stati.flatMap((status) => {
    const wanted = days ?? tables.find(({ name }) => name === status.table)?.recoveryDays ?? 35;
    const isEnough = status.state === "on" && (status.days === undefined || status.days >= wanted);
    if (isEnough || (status.state !== "on" && status.state !== "off")) return [];
    return [{ role: status.role, table: status.table, days: wanted, daysBefore: status.days }];
  });
}

/** Tables whose recovery is on, for a time that the server does not tell: one that is asked for might cut it, and is not written. */
export function untoldPeriods(stati: readonly RecoveryStatus[]): string[] {
  return stati.flatMap(({ table, state, days }) => (state === "on" && days === undefined ? [table] : []));
}

export interface RecoveryChanged extends RecoveryChange {
  /** `false` for what this server does not know. */
  readonly isDone: boolean;
  /** How far back it reaches now, as the server says; undefined where it does not. */
  readonly daysNow: number | undefined;
}

/** Makes the changes one by one. */
export async function enableRecoveries(
  context: NativeContext,
  changes: readonly RecoveryChange[],
): Promise<RecoveryChanged[]> {
  const results: RecoveryChanged[] = [];
  for (const change of changes) {
    context.signal?.throwIfAborted();
    context.progress(`switching on recovery of ${change.table}`);
    const { table, role, days } = change;
    const { isDone, daysNow } = await context.audit.change(
      { action: "table.recovery-enabled", details: { table, role, days } },
      () =>
        enableRecovery(context.aws, table, days, context).then(
          (reached) => ({ isDone: true, daysNow: reached }),
          (error: unknown) => {
            if (isUnsupported(error)) return { isDone: false, daysNow: undefined };
            throw error;
          },
        ),
      (outcome) => (outcome.isDone ? {} : []),
    );
    results.push({ ...change, isDone, daysNow });
  }
  return results;
}
