import { dirname, resolve } from "node:path";
import type { Config } from "../config/config.ts";
import { readModelFile } from "../config/model-file.ts";
import { CliError, exitCodes } from "../errors.ts";
import { shippedModels, shippedSchemas } from "../model/shipped.ts";
import type { DatabaseWrite, Step } from "../setup/step.ts";
import type { Address } from "../sql/address.ts";
import type { Opening } from "../sql/connection.ts";
import type { Database, DeclaredDatabase } from "../sql/database.ts";
import { readTextFile } from "../text-file.ts";
import type { World } from "../world.ts";

interface Site {
  readonly config: Config;
  readonly world: World;
}

/** The databases of the site's model, opened when they are first planned. */
export interface Databases {
  /** What setup would do with them. One whose server cannot be used rejects, or is told to `onUnreadable`. */
  plan(onUnreadable?: (name: string, error: unknown) => void): Promise<Step[]>;
  write(name: string, write: DatabaseWrite): Promise<void>;
  /** Those that were opened, by their roles. */
  opened(): readonly Database[];
  close(): Promise<void>;
}

const opening = { connectTimeoutMs: 10_000, statementTimeoutMs: 80_000 };

/** The databases that the model of the site declares; nothing is opened yet. */
export function databasesOf(site: Site): Databases {
  const declared = Object.entries(site.config.site.databases ?? {});
  const limits: Opening = { ...opening, signal: site.world.signal };
  const open = new Map<string, { database: Database; address: Address }>();

  async function planOne([role, { engine, name, schema }]: (typeof declared)[number]): Promise<Step[]> {
    const url = await urlOf(site, role, declared.length);
    if (url === undefined) {
      const remedy = `put the URL into ${variableOf(role, declared.length)}: ${engine}://user:password@host/${name}`;
      const to = `${engine}: no server is named`;
      return [{ resource: "database", name, aspect: "database", kind: "problem", to, remedy }];
    }
    const [{ databaseAddress }, { openDatabase }, { planDatabase }] = await Promise.all([
      import("../sql/address.ts"),
      import("../sql/database.ts"),
      import("../setup/database.ts"),
    ]);
    const address = databaseAddress(url.text, url.from);
    if (address.engine !== engine) {
      throw new CliError(
        `${url.from} is of a ${address.engine} server; the model's database ${role} is ${engine}`,
        {
          exitCode: exitCodes.usage,
        },
      );
    }
    const wanted: DeclaredDatabase = { role, engine, name, file: await schemaOf(site, schema) };
    const database = await openDatabase(wanted, address, limits);
    open.set(database.name, { database, address });
    return planDatabase(database, { now: site.world.now(), random: site.world.randomHex(4) });
  }

  return {
    async plan(onUnreadable) {
      const steps: Step[] = [];
      for (const each of declared) {
        try {
          steps.push(...(await planOne(each)));
        } catch (error) {
          if (onUnreadable === undefined) throw error;
          onUnreadable(each[1].name, error);
        }
      }
      return steps;
    },
    async write(name, write) {
      const opened = open.get(name);
      if (opened === undefined) throw new RangeError(`database ${name} was not planned`);
      const { database, address } = opened;
      if (write.do === "create-database") {
        const { makeDatabase } = await import("../sql/database.ts");
        open.set(name, { database: await makeDatabase(database, address, limits), address });
        return;
      }
      const { writeDatabase } = await import("../setup/database.ts");
      await writeDatabase(database, write);
    },
    opened: () => [...open.values()].map(({ database }) => database),
    async close() {
      for (const { database } of open.values()) await database.sql.close();
      open.clear();
    },
  };
}

/** `MAWPS_DATABASE_URL`, or where the model has several `MAWPS_DATABASE_URL_<ROLE>`. */
function variableOf(role: string, databases: number): string {
  return databases === 1 ? "MAWPS_DATABASE_URL" : `MAWPS_DATABASE_URL_${role.toUpperCase()}`;
}

/** From the variable, or the file that `…_FILE` names; never from a flag, which everybody on the machine can read. */
async function urlOf(
  { world }: Pick<Site, "world">,
  role: string,
  databases: number,
): Promise<{ readonly text: string; readonly from: string } | undefined> {
  const name = variableOf(role, databases);
  const text = world.env[name] ?? "";
  if (text !== "") return { text, from: name };
  const path = world.env[`${name}_FILE`] ?? "";
  if (path === "") return undefined;
  const hint = `${name}_FILE names it`;
  const inFile = await readTextFile(resolve(world.cwd, path), { what: "a URL", mostBytes: 10_000, hint });
  if (inFile === undefined) throw new CliError(`there is no ${path}`, { exitCode: exitCodes.usage, hint });
  return { text: inFile, from: path };
}

/** The SQL file of the model: one that travels with the program, or beside the model's own file. */
async function schemaOf({ config, world }: Site, schema: string): Promise<string> {
  if (Object.hasOwn(shippedModels, config.model)) return shippedSchemas[schema]?.() ?? "";
  const path = resolve(dirname(resolve(world.cwd, config.model)), schema);
  return readModelFile(path);
}
