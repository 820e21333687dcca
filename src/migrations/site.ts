import { holdsOfSite } from "../audit/holds.ts";
import { readTable } from "../aws/dynamodb/table-settings.ts";
import type { Context } from "../context.ts";
import { openDocumentSite, profilesOf } from "../documents/site.ts";
import type { MigrationSite } from "./migration.ts";
import { migrations } from "./registry.ts";
import { readStates, type MigrationState } from "./state.ts";

/** What migrations work on, and how far each of them is. */
export interface Standpoint {
  readonly site: MigrationSite;
  readonly states: ReadonlyMap<string, MigrationState>;
}

/** Opens what migrations work on, and reads how far they are. */
export async function openMigrations(context: Context): Promise<Standpoint> {
  const { aws, tables, declaration, signal } = context;
  const websites = readTable(aws, tables.userDocuments, signal);
  const documents = openDocumentSite({
    ...profilesOf(context),
    migrationsTable: tables.migrations,
    hashes: "read" as const,
    secrets: declaration.secrets,
    holds: () => holdsOfSite(context),
  });
  const [opened, table] = await Promise.all([documents, websites]);
  const site = { ...opened, isWebsiteOfToday: table !== undefined };
  return { site, states: await statesNow(site) };
}

/** How far each migration is that is known here. */
export function statesNow(site: MigrationSite): Promise<ReadonlyMap<string, MigrationState>> {
  return readStates(
    site,
    migrations.map(({ migration: { id } }) => id),
  );
}
