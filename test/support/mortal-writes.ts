/*
 * A process that runs one command line and dies by its own SIGKILL at a given step. Steps are the changes in the folder
 * `repository` of the home, and the transactions of the audit trail, each counted before it happens, which is behind the one before; their
 * names go to stdout.
 *
 *   node mortal-writes.mjs <home> <step, 0 for never> <argument...>
 */
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { writeSync } from "node:fs";
import { join, relative } from "node:path";
import { main } from "../../src/main.ts";
import { realWorld } from "../../src/real-world.ts";
import type { Connection, World } from "../../src/world.ts";

const [home = "", fatal = "0", ...argv] = process.argv.slice(2);
const repository = join(home, "repository");
let count = 0;

function step(name: string): void {
  count += 1;
  writeSync(1, `${name}\n`);
  if (count === Number(fatal)) process.kill(process.pid, "SIGKILL");
}

/** Undefined for what lies elsewhere (the store that is read, and Node's own), and for what has no name yet. */
function nameOf(path: unknown): string | undefined {
  const name = relative(repository, String(path));
  return name.startsWith("..") || name.startsWith("tmp/") ? undefined : name;
}

/** `at`: which argument names what is changed. */
function watch(operation: "link" | "rename" | "rm", at: number): void {
  const real = fs[operation] as (...given: unknown[]) => Promise<unknown>;
  Object.assign(fs, {
    [operation]: async (...given: unknown[]) => {
      const name = nameOf(given[at]);
      if (name === undefined) return real(...given);
      step(`${operation} ${name}`);
      return real(...given);
    },
  });
}

watch("link", 1);
watch("rename", 1);
watch("rm", 0);
syncBuiltinESMExports();

interface Stack {
  add(middleware: unknown, options: { step: string; name: string; override: boolean }): void;
}

async function watched<T extends { middlewareStack: unknown }>(opening: Promise<T>): Promise<T> {
  const client = await opening;
  const middleware =
    (next: (args: unknown) => Promise<unknown>, context: { commandName?: string }) =>
    async (args: unknown) => {
      const name = context.commandName ?? "";
      if (!name.startsWith("Transact")) return next(args);
      step(name);
      return next(args);
    };
  (client.middlewareStack as Stack).add(middleware, { step: "initialize", name: "mortal", override: true });
  return client;
}

function mortal(connection: Connection): Connection {
  const { aws } = connection;
  return { ...connection, aws: { ...aws, dynamodb: () => watched(aws.dynamodb()) } };
}

const world = realWorld(new AbortController().signal);
const silent: World = {
  ...world,
  env: { ...world.env, MAWPS_HOME: join(home, "store"), MAWPS_JSON: "true" },
  home: world.cwd,
  // The machine of the tests' world, on which this process is dead by then.
  machine: { ...world.machine, host: "test-host" },
  stdout: { write: () => true, once: () => undefined },
  stderr: { write: () => true, once: () => undefined },
  connect: async (config, access) => mortal(await world.connect(config, access)),
};
if ((await main(argv, silent)) === 0) writeSync(1, "acknowledged\n");
