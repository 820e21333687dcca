import { constants } from "node:fs";
import { cp, lstat, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { CliError, exitCodes } from "../errors.ts";
import { makeFolders } from "../make-folders.ts";
import { addressText, type EmbeddedAddress } from "./address.ts";
import { sqlBy, type Driver, type Lock, type Opening } from "./connection.ts";
import type { Database, DeclaredDatabase } from "./database.ts";
import { isLeftOver, trialPrefix } from "./scratch.ts";

/*
 * The folder of embedded databases:
 *   <name>/data    a PostgreSQL of its own for each: one process at a time can have it open, in one session
 *   <name>/begun   the same, before it is made
 *   <name>/lock    held by the process that has it open
 *   .empty/        one without anything, of which the others are copies: PostgreSQL takes seconds to make one
 */
const parts = { data: "data", begun: "begun", lock: "lock" } as const;
const emptyName = ".empty";

/** In which a PostgreSQL begins, and the schema that statements without one mean. */
const schema = "public";

/**
 * Opens a database of a PostgreSQL that this process runs itself, and holds it until its `sql` is closed. One that is not there
 * is begun beside its place, where `sql` means it already: `make` puts it there whole, and without that nothing is left of it.
 * @throws CliError where another process has it for too long, or where it cannot be opened.
 */
export async function openEmbedded(
  declared: DeclaredDatabase,
  address: EmbeddedAddress,
  opening: Opening,
): Promise<Database> {
  const { engine, scratch } = declared;
  const name = address.database ?? declared.name;
  if (!/^\w[\w-]*$/.test(name)) {
    const hint = "it becomes a folder: letters, digits, _ and - are for its name";
    throw new CliError(`${name} is no name for an embedded database`, { exitCode: exitCodes.usage, hint });
  }
  const place = join(address.folder, name);
  await refuseLinks([address.folder, place, join(place, parts.data)]);
  await makeFolders(address.folder, 0o700);
  await dropLeftOvers(address.folder, scratch.now);
  const lock = await hold(place, opening);
  const where = addressText({ ...address, database: name });
  const open = (part: "data" | "begun") =>
    sqlBy(engine, { where, opening }, () => connected(join(place, part), opening));
  let isThere = false;
  let released: Promise<void> | undefined;
  const release = async () => {
    if (!isThere) await rm(join(place, parts.begun), { recursive: true, force: true });
    await lock.release();
  };
  try {
    isThere = await exists(join(place, parts.data));
    if (!isThere) await begin(address.folder, place, opening);
    let sql = await open(isThere ? "data" : "begun");
    const close = async () => {
      await sql.close();
      await (released ??= release());
    };
    return {
      ...declared,
      name,
      place: schema,
      get sql() {
        return { ...sql, close };
      },
      get isThere() {
        return isThere;
      },
      async make() {
        await sql.close();
        await rename(join(place, parts.begun), join(place, parts.data));
        isThere = true;
        sql = await open("data");
      },
      async drop() {
        if (!name.startsWith(trialPrefix)) throw new RangeError(`database ${name} is none of a trial`);
        await close();
        await rm(place, { recursive: true, force: true });
        isThere = false;
      },
    };
  } catch (error) {
    await (released ??= release());
    throw error;
  }
}

/** Copies an empty one to where a new one begins; makes that first where there is none. */
async function begin(folder: string, place: string, opening: Opening): Promise<void> {
  const empty = join(folder, emptyName);
  const begun = join(place, parts.begun);
  await refuseLinks([empty, join(empty, parts.data), begun]);
  if (!(await exists(join(empty, parts.data)))) await makeEmpty(empty, opening);
  await rm(begun, { recursive: true, force: true });
  await cp(join(empty, parts.data), begun, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

async function makeEmpty(place: string, opening: Opening): Promise<void> {
  const lock = await hold(place, opening);
  try {
    if (await exists(join(place, parts.data))) return;
    opening.progress("making an embedded PostgreSQL: some seconds");
    const begun = join(place, parts.begun);
    await rm(begun, { recursive: true, force: true });
    const { makeCluster } = await import("./pglite.ts");
    await makeCluster(begun);
    await rename(begun, join(place, parts.data));
  } finally {
    await lock.release();
  }
}

async function connected(folder: string, opening: Opening): Promise<Driver> {
  const { connectPglite } = await import("./pglite.ts");
  try {
    return await connectPglite(folder, opening);
  } catch (cause) {
    const hint =
      "it is damaged, or of another version: `mawps local reset` begins anew, and a backup brings it back";
    throw new CliError(`the embedded PostgreSQL in ${folder} cannot be opened`, { hint, cause });
  }
}

/** Nobody else can look into the folder, whatever those above it let them: PGlite's files are for everybody. */
async function hold(place: string, { lock }: Opening): Promise<Lock> {
  await makeFolders(place, 0o700);
  return lock(join(place, parts.lock));
}

/** A folder that came from somebody else could lead to files outside of it. */
async function refuseLinks(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const found = await lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink() !== true) continue;
    const hint = "is this folder somebody else's? nothing was changed; MAWPS_HOME names another one";
    throw new CliError(`${path} is a symbolic link`, { hint });
  }
}

/** What a drill that was killed has left. */
async function dropLeftOvers(folder: string, now: Date): Promise<void> {
  const seconds = Math.floor(now.getTime() / 1000);
  for (const name of await readdir(folder))
    if (isLeftOver(name, seconds)) await rm(join(folder, name), { recursive: true, force: true });
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
