import { accountOf, inPending } from "../backup/creation.ts";
import { ensureBackups, foreseeBackups } from "../backup/open.ts";
import { assertOutside, placeOf } from "../backup/place.ts";
import { refuseOpenSecrets } from "../backup/secrets.ts";
import type { Context } from "../context.ts";
import { CliError, exitCodes } from "../errors.ts";
import { secretColumnsOf } from "../model/database.ts";
import { modelHash } from "../model/hash.ts";
import type { Archive } from "./drop-partition.ts";
import type { RetentionSite } from "./site.ts";

interface Archiving {
  readonly site: RetentionSite;
  readonly repo: string | undefined;
  /** Secrets may lie open in the archive. */
  readonly withSecrets: boolean;
  /** The tables of which partitions go, by `tableRole`. */
  readonly tables: ReadonlySet<string>;
}

/**
 * Whether there is a place in which the rows of partitions may be kept, before anybody is asked; makes nothing.
 * @throws CliError where none is named, or secrets would lie open in it.
 */
export async function foreseeArchive(context: Context, archiving: Archiving): Promise<void> {
  const { repository, besideStore } = context.backups;
  if (archiving.repo === undefined && repository === undefined && besideStore === undefined) {
    throw new CliError(
      "no backup repository is named to keep the rows of partitions in before they are dropped; nothing was deleted",
      {
        exitCode: exitCodes.usage,
        hint: "pass --repo, or set backup.repository: a folder or s3://bucket/prefix; --no-archive drops them without",
      },
    );
  }
  assertOutside(placeOf(context, archiving.repo), context.declaration.buckets);
  await foreseeBackups(context, archiving.repo, { beforeOpen: secretsRefused(archiving) });
}

/** Keeps the rows of partitions in the backup repository, which is made where there is none yet. */
export async function archiveOf(context: Context, archiving: Archiving): Promise<Archive> {
  const wanted = { beforeOpen: secretsRefused(archiving) };
  const repository = await ensureBackups(context, archiving.repo, wanted);
  if (!repository.canRead)
    context.note(
      "the repository is encrypted, and its key is not here: archives are not read again before rows go",
    );
  const account = await accountOf(context);
  const made = { tool: `mawps ${context.version}`, modelHash: modelHash(context.model), account };
  return async (out) => {
    const { archiveRows } = await import("../backup/archive.ts");
    const { database, table, partition } = out;
    const options = {
      archive: [database.role, table, partition],
      region: context.aws.region,
      name: database.sql.where,
    };
    return inPending(context, { repository, options }, (site, pending) =>
      archiveRows(site, out, { pending, made }),
    );
  };
}

function secretsRefused({ site, tables, withSecrets }: Archiving): (() => Promise<void>) | undefined {
  if (withSecrets) return undefined;
  const { aws, declaration, signal, rules } = site;
  const databases = site.databases.map((database) => ({
    database,
    columns: secretColumnsOf(site.model, database.role).filter(({ table }) =>
      tables.has(`${database.role}.${table}`),
    ),
  }));
  return () =>
    refuseOpenSecrets(
      { aws, declaration, signal, now: () => rules.at },
      {
        tables: [],
        databases,
        rate: undefined,
        hint: "encrypt the repository (backup.encryptTo, or a passphrase), or pass --with-secrets if whoever reads it may have them",
      },
    );
}
