import { readdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Tell } from "../amount.ts";
import type { Aws } from "../aws/clients.ts";
import type { Config } from "../config/config.ts";
import { readModelFile } from "../config/model-file.ts";
import type { Naming } from "../context.ts";
import { CliError, exitCodes } from "../errors.ts";
import { shippedModels, shippedSchemas } from "../model/shipped.ts";
import type { Compared } from "../setup/database.ts";
import type { DatabaseWrite, Step } from "../setup/step.ts";
import type { Address } from "../sql/address.ts";
import type { Opening } from "../sql/connection.ts";
import type { Database, DeclaredDatabase } from "../sql/database.ts";
import type { LagTeller, openReplica } from "../sql/replicas.ts";
import { readTextFile } from "../text-file.ts";
import type { World } from "../world.ts";

interface Site {
  readonly config: Config;
  readonly world: World;
  readonly progress: Tell;
  /** Folder of the databases that are embedded in a local store; undefined elsewhere. Opens the store first. */
  embedded(): Promise<string | undefined>;
}

interface Declared {
  readonly role: string;
  readonly name: string;
}

/** The databases of the site's model. Each is opened once, when it is first asked for. */
export interface Databases {
  /**
   * Each beside what it should be, and a problem for each whose server nobody names. One whose server cannot be used rejects, or
   * is told to `onUnreadable`.
   * @param aws where the ledger of their migrations is.
   */
  compare(
    aws: Aws,
    onUnreadable?: (name: string, error: unknown) => void,
  ): Promise<{ readonly steps: readonly Step[]; readonly compared: readonly Compared[] }>;
  /** Carries out a step of the plan. */
  write(write: DatabaseWrite): Promise<void>;
  /**
   * Those that are wanted, open, on request under other names.
   * @throws CliError (usage) where no server is named for one.
   */
  open(wants: (declared: Declared) => boolean, naming?: Naming): Promise<readonly Database[]>;
  /** The same. @throws CliError for one that was never made, too. */
  openThere(wants: (declared: Pick<Declared, "role">) => boolean): Promise<readonly Database[]>;
  /**
   * The replicas of a database of MySQL or MariaDB that `MAWPS_REPLICA_URL` names; none where it names none.
   * @throws CliError (usage) for a URL of another engine.
   */
  replicas(role: string): Promise<readonly LagTeller[]>;
  close(): Promise<void>;
}

/** How to have a server where there is none. */
const servers = {
  mysql:
    "a server of your own: apt-get install mariadb-server, or docker run -p 3306:3306 -e MARIADB_ROOT_PASSWORD=… mariadb",
  postgres: "on --target local one is embedded",
} as const;

/** PostgreSQL's; MySQL's are one longer. */
const longestName = 63;
const opening = { connectTimeoutMs: 10_000, statementTimeoutMs: 80_000 };

/** The databases that the model of the site declares; nothing is opened yet. */
export function databasesOf(site: Site): Databases {
  const declared = Object.entries(site.config.site.databases ?? {});
  const { signal } = site.world;
  const lock: Opening["lock"] = async (folder) => (await import("../target.ts")).lockFolder(folder, signal);
  const limits: Opening = { ...opening, signal, lock, progress: site.progress };
  const begun = new Map<string, Promise<Database>>();
  const replicas: Awaited<ReturnType<typeof openReplica>>[] = [];

  /** Undefined where no server is named. */
  async function openOne(
    [role, { engine, name, schema, migrations: changes }]: (typeof declared)[number],
    naming: Naming = {},
  ): Promise<Database | undefined> {
    const url = await urlOf(site, variableOf("MAWPS_DATABASE_URL", role, declared.length));
    const folder = url === undefined && engine === "postgres" ? await site.embedded() : undefined;
    const [{ databaseAddress }, { openDatabase }] = await Promise.all([
      import("../sql/address.ts"),
      import("../sql/database.ts"),
    ]);
    const address: Address | undefined =
      url !== undefined
        ? databaseAddress(url.text, url.from)
        : folder !== undefined
          ? { engine: "postgres", folder, database: undefined }
          : undefined;
    if (address === undefined) return undefined;
    if (address.engine !== engine) {
      const is = `of a ${address.engine} server; the model's database ${role} is ${engine}`;
      throw new CliError(`${url?.from ?? ""} is ${is}`, { exitCode: exitCodes.usage });
    }
    const named = naming.name ?? `${naming.prefix ?? ""}${address.database ?? name}`;
    if (Buffer.byteLength(named) > longestName) {
      throw new CliError(`${named} is too long for the name of a database`, { exitCode: exitCodes.usage });
    }
    const begin = async () => {
      const scratch = { now: site.world.now(), random: site.world.randomHex(4) };
      const file = await schemaOf(site, schema);
      const migrations = changes === undefined ? undefined : () => migrationsIn(site, changes);
      const wanted: DeclaredDatabase = { role, engine, name: named, file, migrations, scratch };
      const database = await openDatabase(wanted, { ...address, database: named }, limits);
      // As buckets and tables of a local store are, with the first command.
      const isBeside = naming.name !== undefined || (naming.prefix ?? "") !== "";
      return folder === undefined || isBeside ? database : filled(database);
    };
    // Two that ask side by side get one connection.
    const key = `${naming.prefix ?? ""}${role}${naming.name === undefined ? "" : ` ${naming.name}`}`;
    const opening = begun.get(key) ?? begin();
    begun.set(key, opening);
    return opening;
  }

  /** What to do where no server is named. */
  const remedyFor = ([role, { engine, name }]: (typeof declared)[number]) =>
    `put the URL into ${variableOf("MAWPS_DATABASE_URL", role, declared.length)}: ${engine}://user:password@host/${name}; ${servers[engine]}`;

  const open: Databases["open"] = async (wants, naming) => {
    const all: Database[] = [];
    for (const each of declared.filter(([role, { name }]) => wants({ role, name }))) {
      const database = await openOne(each, naming);
      if (database === undefined) {
        throw new CliError(`no server is named for database ${each[1].name} (${each[0]})`, {
          exitCode: exitCodes.usage,
          hint: remedyFor(each),
        });
      }
      all.push(database);
    }
    return all;
  };

  return {
    async compare(aws, onUnreadable) {
      const steps: Step[] = [];
      const compared: Compared[] = [];
      const migrationsTable = site.config.tables.migrations;
      for (const each of declared) {
        const [, { engine, name }] = each;
        try {
          const database = await openOne(each);
          if (database === undefined) {
            const to = `${engine}: no server is named`;
            const step = { resource: "database", name, aspect: "database", kind: "problem", to } as const;
            steps.push({ ...step, remedy: remedyFor(each) });
            continue;
          }
          const [{ compareDatabase }, { atOlderVersion }] = await Promise.all([
            import("../setup/database.ts"),
            import("../migrations/sql-behind.ts"),
          ]);
          const found = await atOlderVersion(await compareDatabase(database), {
            aws,
            migrationsTable,
            signal,
          });
          steps.push(...found.steps);
          compared.push(found);
        } catch (error) {
          if (onUnreadable === undefined) throw error;
          onUnreadable(name, error);
        }
      }
      return { steps, compared };
    },
    async write(write) {
      const database = await begun.get(write.role);
      if (database === undefined) throw new RangeError(`database ${write.role} was not planned`);
      if (write.do === "create-database") return database.make();
      const { writeDatabase } = await import("../setup/database.ts");
      await writeDatabase(database, write);
    },
    open,
    async openThere(wants) {
      const all = await open(wants);
      const missing = all.find(({ isThere }) => !isThere);
      if (missing === undefined) return all;
      throw new CliError(`there is no database ${missing.name}`, { hint: "`mawps setup` makes it" });
    },
    async replicas(role) {
      const url = await urlOf(site, variableOf("MAWPS_REPLICA_URL", role, declared.length));
      if (url === undefined) return [];
      const [{ addressText, databaseAddress }, { openSql }, lagging] = await Promise.all([
        import("../sql/address.ts"),
        import("../sql/connection.ts"),
        import("../sql/replicas.ts"),
      ]);
      const opened: LagTeller[] = [];
      for (const each of url.text.trim().split(/\s+/)) {
        const address = databaseAddress(each, url.from);
        if ("folder" in address || address.engine !== "mysql")
          throw new CliError(`${url.from} names replicas of MySQL and MariaDB alone`, {
            exitCode: exitCodes.usage,
            hint: "a primary of PostgreSQL tells of its standbys itself",
          });
        const replica = await lagging.openReplica(() => openSql(address, addressText(address), limits));
        replicas.push(replica);
        opened.push(replica);
      }
      return opened;
    },
    async close() {
      for (const replica of replicas.splice(0)) await replica.close();
      const all = await Promise.allSettled(begun.values());
      begun.clear();
      for (const each of all) if (each.status === "fulfilled") await each.value.sql.close();
    },
  };
}

/** A database that is not there is made with what its file says, all of it or nothing. */
async function filled(database: Database): Promise<Database> {
  if (database.isThere) return database;
  try {
    const { schemaStatements } = await import("../sql/schema-file.ts");
    for (const statement of schemaStatements(database.file, database.engine))
      await database.sql.run(statement);
    await database.make();
    return database;
  } catch (error) {
    await database.sql.close();
    throw error;
  }
}

/** `MAWPS_DATABASE_URL`, or where the model has several `MAWPS_DATABASE_URL_<ROLE>`. */
function variableOf(name: string, role: string, databases: number): string {
  return databases === 1 ? name : `${name}_${role.toUpperCase()}`;
}

/** From the variable, or the file that `…_FILE` names; never from a flag, which everybody on the machine can read. */
async function urlOf(
  { world }: Pick<Site, "world">,
  name: string,
): Promise<{ readonly text: string; readonly from: string } | undefined> {
  const text = world.env[name] ?? "";
  if (text !== "") return { text, from: name };
  const path = world.env[`${name}_FILE`] ?? "";
  if (path === "") return undefined;
  const hint = `${name}_FILE names it`;
  const inFile = await readTextFile(resolve(world.cwd, path), { what: "a URL", mostBytes: 10_000, hint });
  if (inFile === undefined) throw new CliError(`there is no ${path}`, { exitCode: exitCodes.usage, hint });
  return { text: inFile, from: path };
}

/** The migrations of the model: those that travel with the program, or files in a folder beside the model's own. */
async function migrationsIn(
  { config, world }: Site,
  folder: string,
): Promise<Readonly<Record<string, string>>> {
  if (Object.hasOwn(shippedModels, config.model)) {
    const { shippedMigrations } = await import("../model/shipped-migrations.ts");
    return shippedMigrations[folder] ?? {};
  }
  const path = resolve(dirname(resolve(world.cwd, config.model)), folder);
  const names = await readdir(path).catch((error: unknown) => {
    throw new CliError(`cannot read the migrations in ${path}`, {
      exitCode: exitCodes.usage,
      hint: "the model names that folder beside it",
      cause: error,
    });
  });
  const files = names.filter((name) => name.endsWith(".sql")).sort();
  const texts = await Promise.all(files.map((name) => readModelFile(resolve(path, name))));
  return Object.fromEntries(files.map((name, at) => [name, texts[at] ?? ""]));
}

/** The SQL file of the model: one that travels with the program, or beside the model's own file. */
async function schemaOf({ config, world }: Site, schema: string): Promise<string> {
  if (Object.hasOwn(shippedModels, config.model)) return shippedSchemas[schema]?.() ?? "";
  const path = resolve(dirname(resolve(world.cwd, config.model)), schema);
  return readModelFile(path);
}
