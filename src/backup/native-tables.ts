import type { AuditTrail } from "../audit/trail.ts";
import type { Context } from "../context.ts";
import { pause } from "../retry.ts";
import { CliError, exitCodes } from "../errors.ts";
import type { Declaration, TableDeclaration } from "../model/declaration.ts";

/** What AWS's own backups are worked with. */
export interface NativeContext extends Pick<Context, "aws" | "declaration" | "now" | "progress"> {
  readonly audit: AuditTrail;
  readonly signal?: AbortSignal;
  /** Milliseconds before something is looked at again; doubled each time up to ten seconds. Tests shorten it. */
  readonly firstDelayMs?: number;
}

/** The table that is meant by its role or its name. */
export function tableNamed({ tables }: Declaration, roleOrName: string): TableDeclaration {
  const found = tables.find(({ role, name }) => role === roleOrName || name === roleOrName);
  if (found !== undefined) return found;
  throw new CliError(`the model has no table "${roleOrName}"`, {
    hint: `it has ${tables.map(({ role, name }) => `${role} (${name})`).join(", ")}`,
    exitCode: exitCodes.usage,
  });
}

/** The one that is meant, or all that are backed up and of which the tool looks after the settings. */
export function tablesMeant(declaration: Declaration, roleOrName: string | undefined): TableDeclaration[] {
  return roleOrName === undefined
    ? declaration.tables.filter(({ backedUp, keptBy }) => backedUp && keptBy !== "site")
    : [tableNamed(declaration, roleOrName)];
}

/**
 * Looks again and again until it is done, however long AWS takes. Interrupted, AWS goes on by itself; whoever calls again
 * waits on.
 */
export async function waitUntil<T>(
  { signal, firstDelayMs = 500 }: Pick<NativeContext, "signal" | "firstDelayMs">,
  look: () => Promise<T>,
  isDone: (seen: T) => boolean,
): Promise<T> {
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(2 * delayMs, 10_000)) {
    const seen = await look();
    if (isDone(seen)) return seen;
    await pause(delayMs, signal);
  }
}

/** A moment as it is given to AWS: to the second, never later than it was. */
export function wholeSecond(at: Date): Date {
  return new Date(Math.floor(at.getTime() / 1000) * 1000);
}
