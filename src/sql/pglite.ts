import { access } from "node:fs/promises";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { callbackify } from "node:util";
import { PGlite } from "@electric-sql/pglite";
import type { Driver, Opening } from "./connection.ts";
import { speakPostgres } from "./postgres.ts";

/** Of PGlite's, with less memory than a server takes: one process works with one site's data. */
const startParams = [...PGlite.defaultStartParams, "-c", "shared_buffers=16MB"];

/** Files of the write-ahead log are of 1 MB instead of 16: an empty database has one. */
const initDbStartParams = ["--wal-segsize=1"];

/** Makes an empty PostgreSQL in a folder, which takes seconds of the processor. A broken-off one is not to be opened. */
export async function makeCluster(folder: string): Promise<void> {
  const lite = await PGlite.create({ dataDir: folder, startParams, initDbStartParams });
  await lite.close();
}

/**
 * Runs the PostgreSQL that lies in a folder. Nobody else may have it open.
 * @throws an error that is none of PostgreSQL's where it cannot be run.
 */
export async function connectPglite(folder: string, opening: Opening): Promise<Driver> {
  // PGlite would make one anew in place of what has lost it.
  await access(join(folder, "PG_VERSION"));
  const lite = await PGlite.create({ dataDir: folder, startParams });
  try {
    const driver = await speakPostgres(
      { user: "postgres", database: "postgres", password: "", stream: () => wireTo(lite) },
      opening,
    );
    let ended: Promise<void> | undefined;
    const end = async () => {
      await driver.end();
      await lite.close();
    };
    return { ...driver, end: () => (ended ??= end()) };
  } catch (error) {
    await lite.close();
    throw error;
  }
}

/** Begins the last message of a session; PGlite, which has only one, would end with it. */
const terminate = "X".codePointAt(0);

/** What the driver takes for a socket. What it sends together is answered together: rows that are copied in come with their statement. */
function wireTo(lite: PGlite): Duplex {
  const send = callbackify(async (messages: readonly Uint8Array[]) => {
    const asking = messages.filter(([first]) => first !== terminate);
    const answer = asking.length === 0 ? undefined : await lite.execProtocolRaw(Buffer.concat(asking));
    if (wire.destroyed) return;
    if (answer !== undefined) wire.push(Buffer.from(answer));
    if (asking.length < messages.length) wire.push(null);
  });
  const wire = new Duplex({
    read() {},
    write: (message: Uint8Array, _encoding, done) => send([message], done),
    writev: (messages, done) =>
      send(
        messages.map(({ chunk }) => chunk as Uint8Array),
        done,
      ),
  });
  return Object.assign(wire, {
    connect: () => queueMicrotask(() => wire.emit("connect")),
    setNoDelay: () => wire,
    setKeepAlive: () => wire,
    ref: () => wire,
    unref: () => wire,
  });
}
