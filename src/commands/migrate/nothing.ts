import { noSuchMigration } from "../../migrations/choose.ts";
import { visible } from "../../output/text.ts";
import type { Run } from "../run.ts";

/** What there is to say of a site without migrations. */
export function noMigrationsText({ config }: Pick<Run, "config">): string {
  return `nothing to migrate: ${visible(config.site.name)} has no migrations`;
}

/** @throws CliError where one of them is asked for. */
export async function noMigrations(run: Run, empty: object, to?: string): Promise<void> {
  if (to !== undefined && to !== "none") throw noSuchMigration(to, []);
  await run.print(empty, () => noMigrationsText(run));
}

/** What there is to say where `up` finds nothing that is pending: all is applied, or all up to where it was to go. */
export function nothingToDo(to: string | undefined): string {
  return `nothing to do: the migrations ${to === undefined ? "" : `up to ${to} `}are applied`;
}

/** What there is to say where `down` finds nothing: nothing is applied, or nothing behind where it was to go. */
export function nothingToTakeBack(to: string | undefined): string {
  const behind = to === undefined || to === "none" ? "" : `behind ${to} `;
  return `nothing to take back: no migration ${behind}is applied`;
}
