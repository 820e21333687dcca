import type { AuditTrail } from "../audit/trail.ts";
import type { Context } from "../context.ts";
import { pause } from "../retry.ts";
import { CliError, exitCodes } from "../errors.ts";
import type { TableDeclaration } from "../model/declaration.ts";
import { own } from "../model/json.ts";

/** What AWS's own backups are worked with. */
export interface NativeContext extends Pick<Context, "aws" | "declaration" | "now" | "progress"> {
  readonly audit: AuditTrail;
  readonly signal?: AbortSignal;
  /** Milliseconds before something is looked at again; doubled each time up to ten seconds. Tests shorten it. */
  readonly firstDelayMs?: number;
}

type Site = Pick<Context, "model" | "declaration">;

/** The table that is meant by its role or its name. @throws CliError (usage) for none of DynamoDB's. */
export function tableNamed({ model, declaration: { tables } }: Site, roleOrName: string): TableDeclaration {
  const found = tables.find(({ role, name }) => role === roleOrName || name === roleOrName);
  if (found !== undefined) return found;
  const isOfDatabase = Object.values(model.entities).some(
    ({ from }) => "database" in from && from.table === roleOrName,
  );
  if (isOfDatabase) {
    throw new CliError(`${roleOrName} is a table of a database, and --table is for those of DynamoDB`, {
      hint: `\`mawps backup restore --item ${roleOrName}:<key>\` brings a row back, --only databases all of them`,
      exitCode: exitCodes.usage,
    });
  }
  throw new CliError(`the model has no table "${roleOrName}"`, {
    hint: `it has ${tables.map(({ role, name }) => `${role} (${name})`).join(", ")}`,
    exitCode: exitCodes.usage,
  });
}

/** That of the site to which a command without a name is for: the model's first. @throws CliError (usage) where all are mawps's own. */
export function firstTable({ model, declaration: { tables } }: Site): TableDeclaration {
  const found = tables.find(({ role }) => own(model.tables, role)?.tool === undefined);
  if (found !== undefined) return found;
  const databases = Object.entries(model.databases ?? {}).flatMap(([role, { engine }]) =>
    engine === "mysql" ? [role] : [],
  );
  throw new CliError(`no table is named, and ${model.name} has none in DynamoDB but those of mawps itself`, {
    hint: `name one by --table: ${tables.map(({ role }) => role).join(", ")}${databases.length === 0 ? "" : `; or a database of MySQL by --database: ${databases.join(", ")}`}`,
    exitCode: exitCodes.usage,
  });
}

/** The one that is meant, or all that are backed up and of which the tool looks after the settings. */
export function tablesMeant(site: Site, roleOrName: string | undefined): TableDeclaration[] {
  return roleOrName === undefined
    ? site.declaration.tables.filter(({ backedUp, keptBy }) => backedUp && keptBy !== "site")
    : [tableNamed(site, roleOrName)];
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
