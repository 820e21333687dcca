import { bytes as bytesText } from "../model/bytes.ts";
import { foreignToSchema } from "../sql/schema-file.ts";
import { DamagedError } from "./damage.ts";
import type { Repository } from "./repository.ts";
import type { DatabaseSnapshot, Manifest } from "./snapshot.ts";

/** As a model's file has at most; the shipped ones have some 15 KB. */
const mostBytes = 4_000_000;

interface Reading {
  readonly repository: Repository;
  readonly signal: AbortSignal;
}

/**
 * What is wrong with the SQL file of a database in a backup, in a sentence; undefined where it makes a schema and nothing else. mawps never
 * runs it, but people without mawps do, and whoever may write to the repository may have written it.
 * @throws DamagedError where the file is not what was stored.
 */
export async function foreignInSchema(
  { repository, signal }: Reading,
  backupId: string,
  { name, engine, file }: DatabaseSnapshot,
): Promise<string | undefined> {
  const foreign = async () => {
    if (file.bytes > mostBytes) return `more than ${bytesText(mostBytes)}`;
    const pieces: Uint8Array[] = [];
    for await (const piece of repository.openContent(file, signal)) pieces.push(piece);
    const text = Buffer.concat(pieces);
    return text.equals(Buffer.from(text.toString("utf8")))
      ? foreignToSchema(text.toString("utf8"), engine)
      : "what is no UTF-8";
  };
  const what = await foreign();
  return what && `the schema of database ${name} in backup ${backupId} has ${what}`;
}

/**
 * Looks at the schema of each database of a backup that is meant. One that is lost or damaged keeps no row from coming back, as nothing of
 * it is run: `verify` tells of it.
 * @throws DamagedError for the first that holds anything else than a schema.
 */
export async function refuseForeignSchemas(
  reading: Reading,
  { id, databases = [] }: Pick<Manifest, "id" | "databases">,
): Promise<void> {
  for (const database of databases) {
    const what = await foreignInSchema(reading, id, database).catch((error: unknown) => {
      if (error instanceof DamagedError) return undefined;
      throw error;
    });
    if (what !== undefined) throw new DamagedError(`${what}; nothing was changed`);
  }
}
