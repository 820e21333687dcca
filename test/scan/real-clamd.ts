import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Clamd } from "../../src/scan/conversation.ts";
import { scannerFacts } from "../../src/scan/engine.ts";
import { eicar, officialDatabase } from "./contents.ts";

const clamdPath = "/usr/sbin/clamd";

/** Why tests with clamd cannot run, or undefined. Where CI is set, that is a failure and no reason to skip. */
export function missingClamd(): string | undefined {
  if (existsSync(clamdPath)) return undefined;
  if (process.env["CI"] !== undefined) throw new Error(`${clamdPath} is missing: CI is to install it`);
  return `${clamdPath} is not installed (Debian package clamav-daemon)`;
}

export interface RealClamd extends AsyncDisposable {
  readonly tcp: Clamd;
  readonly unix: Clamd;
  readonly process: ChildProcess;
}

/**
 * Debian's clamd in a folder of its own, as whoever runs the test: with a configuration of its own, and signatures
 * of its own, which know EICAR and come beside a database that has a version. Ready when this resolves.
 */
export async function startClamd(settings: readonly string[] = []): Promise<RealClamd> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-clamd-"));
  const database = join(folder, "database");
  await mkdir(database);
  await writeFile(join(database, "own.ndb"), `Mawps.Test.Eicar:0:*:${eicar().toString("hex")}\n`);
  await writeFile(join(database, "daily.cud"), officialDatabase());
  const port = await freePort();
  const socket = join(folder, "clamd.sock");
  const configuration = join(folder, "clamd.conf");
  const lines = [
    "Foreground yes",
    `DatabaseDirectory ${database}`,
    `TemporaryDirectory ${folder}`,
    `LocalSocket ${socket}`,
    "TCPAddr 127.0.0.1",
    `TCPSocket ${port}`,
    "MaxThreads 4",
    ...settings,
  ];
  await writeFile(configuration, `${lines.join("\n")}\n`);
  const clamd = spawn(clamdPath, ["--config-file", configuration], { stdio: ["ignore", "ignore", "pipe"] });
  const exited = once(clamd, "exit");
  let complaints = "";
  clamd.stderr.on("data", (text) => {
    complaints += String(text);
  });
  const started: RealClamd = {
    tcp: { host: "127.0.0.1", port },
    unix: { socket },
    process: clamd,
    async [Symbol.asyncDispose]() {
      // It also ends one that a test has stopped.
      clamd.kill("SIGKILL");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (clamd.exitCode !== null) break;
    const answers = await Promise.all(
      [started.tcp, started.unix].map(async (end) => await scannerFacts(end, { timeoutMs: 5000 })),
    );
    if (answers.every((facts) => "engine" in facts)) return started;
    await pause(100);
  }
  await started[Symbol.asyncDispose]();
  throw new Error(`clamd did not start: ${complaints}`);
}

/**
 * clamd takes no port 0. Below those that systems give to whoever asks for any: such a one could be given to another test before clamd
 * listens there.
 */
async function freePort(): Promise<number> {
  const server = createServer();
  for (;;) {
    server.listen(randomInt(12_000, 30_000), "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    return port;
  }
}
