/*
 * A process that runs one command line and dies by its own SIGKILL at a given step. Steps are the writing calls to the
 * services, each counted before and after, and where there is a database the statements that change something, counted before;
 * their names go to stdout as they happen. Reads of objects are steps where one of them is the fatal one, which its number names.
 *
 *   node mortal-calls.mjs <home> <step, by its number (0 for never) or the first of that name> <argument...>
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { main } from "../../src/main.ts";
import { realWorld } from "../../src/real-world.ts";
import type { Connection, World } from "../../src/world.ts";

const [home = "", fatal = "0", ...argv] = process.argv.slice(2);
let count = 0;
let reads = 0;

function step(name: string): void {
  count += 1;
  writeSync(1, `${name}\n`);
  if (count === Number(fatal) || name === fatal) process.kill(process.pid, "SIGKILL");
}

interface Stack {
  add(middleware: unknown, options: { step: string; name: string; override: boolean }): void;
}

async function watched<T extends { middlewareStack: unknown }>(opening: Promise<T>): Promise<T> {
  const client = await opening;
  const middleware =
    (next: (args: unknown) => Promise<unknown>, context: { commandName?: string }) =>
    async (args: unknown) => {
      const name = context.commandName ?? "";
      if (name === "GetObjectCommand" && fatal.startsWith(`before ${name}`)) {
        reads += 1;
        step(`before ${name} ${reads}`);
      }
      if (!/^(Put|Update|Transact|BatchWrite|Upload|Create|Complete|Delete|Abort|Tag|Untag)/.test(name))
        return next(args);
      step(`before ${name}`);
      const answer = await next(args);
      step(`after ${name}`);
      return answer;
    };
  (client.middlewareStack as Stack).add(middleware, { step: "initialize", name: "mortal", override: true });
  return client;
}

function mortal(connection: Connection): Connection {
  const { aws } = connection;
  return {
    ...connection,
    aws: { ...aws, s3: () => watched(aws.s3()), dynamodb: () => watched(aws.dynamodb()) },
  };
}

if (process.env["MAWPS_DATABASE_URL"] !== undefined) {
  const { beforeChanges, statementName } = await import("./statement-hook.ts");
  beforeChanges((statement) => {
    step(`before ${statementName(statement)}`);
    return undefined;
  });
}
const world = realWorld(new AbortController().signal);
const silent: World = {
  ...world,
  env: { ...world.env, MAWPS_HOME: join(home, "store"), MAWPS_JSON: "true" },
  stdout: { write: () => true, once: () => undefined },
  stderr: { write: () => true, once: () => undefined },
  connect: async (config, access) => mortal(await world.connect(config, access)),
};
if ((await main(argv, silent)) === 0) writeSync(1, "acknowledged\n");
