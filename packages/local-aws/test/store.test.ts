import { ScanCommand } from "@aws-sdk/client-dynamodb";
import { build } from "esbuild";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { StoreError } from "../src/errors.ts";
import { takeLock } from "../src/lock.ts";
import {
  findServing,
  openStore,
  reachStore,
  removeServing,
  resetStore,
  storeExists,
  writeServing,
} from "../src/store.ts";
import { clientOf } from "./dynamodb-client.ts";

const options = { region: "eu-central-1", now: () => new Date() };
const root = join(import.meta.dirname, "../../..");
let built: string;
let dir: string;
let children: ChildProcess[];

beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), "mawps-store-process-"));
  await build({
    entryPoints: [fileURLToPath(new URL("./store-process.ts", import.meta.url))],
    outfile: join(built, "store-process.cjs"),
    bundle: true,
    platform: "node",
    format: "cjs",
    external: ["classic-level"],
    logLevel: "error",
  });
});

afterAll(() => rm(built, { recursive: true }));

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "mawps-store-")), "store");
  children = [];
});

afterEach(async () => {
  await Promise.all(children.map(kill));
  await rm(join(dir, ".."), { recursive: true, force: true });
});

/** Starts a process on the store; `lines` is what it has said so far. */
function start(...task: string[]): { child: ChildProcess; lines: string[] } {
  const child = spawn(process.execPath, [join(built, "store-process.cjs"), dir, ...task], {
    env: {
      ...process.env,
      NODE_PATH: join(root, "node_modules"),
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  return { child, lines };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

describe("a new store", () => {
  test("has an account of its own that stays, readable for the owner only", async () => {
    const first = await openStore(dir, options);
    await first.close();
    const second = await openStore(dir, options);
    await second.close();
    expect(second.credentials).toEqual(first.credentials);
    expect(first.credentials.accessKeyId).toMatch(/^[A-Z0-9]{20}$/);
    expect(await modeOf(dir)).toBe(0o700);
    expect(await modeOf(join(dir, "credentials.json"))).toBe(0o600);
  });

  test("loads no service that is not asked for", async () => {
    const store = await openStore(dir, options);
    await store.close();
    expect((await readdir(dir)).sort()).toEqual([".gitignore", "credentials.json", "lock", "store.json"]);
    expect(await readFile(join(dir, ".gitignore"), "utf8")).toBe("*\n");
  });

  test("is closed to everybody else, also in a folder that is open", async () => {
    await mkdir(dir, { mode: 0o755 });
    await mkdir(join(dir, "lock"));
    for (const [name, service] of [
      ["s3", "s3"],
      ["dynamodb", "dynamodb"],
      ["cognito", "cognito"],
    ] as const) {
      const store = await openStore(dir, options);
      await store[service]();
      await store.close();
      expect([name, await modeOf(join(dir, name))]).toEqual([name, 0o700]);
      // As an older program left it.
      await chmod(join(dir, name), 0o755);
      const again = await openStore(dir, options);
      await again[service]();
      await again.close();
      expect([name, await modeOf(join(dir, name))]).toEqual([name, 0o700]);
    }
  });

  test("is not made in a folder that holds other things", async () => {
    await mkdir(dir);
    await writeFile(join(dir, "letter.txt"), "mine");
    await expect(openStore(dir, options)).rejects.toThrow(StoreError);
    expect(await readdir(dir)).toEqual(["letter.txt"]);
    expect(await storeExists(dir)).toBe(false);
  });

  test("is not looked for in a file, nor below one", async () => {
    const file = join(dir, "letter.txt");
    await mkdir(dir);
    await writeFile(file, "mine");
    for (const [at, message] of [
      [file, `${file} is a file: the local store is a folder`],
      [join(file, "a", "b"), `${file} is a file: ${join(file, "a", "b")} cannot be in it`],
    ] as const) {
      for (const attempt of [openStore, reachStore, storeExists, resetStore])
        await expect(attempt(at, options)).rejects.toMatchObject({ fault: "no-folder", message });
    }
    expect(await readFile(file, "utf8")).toBe("mine");
  });

  test("is not opened when a newer program wrote it, and left as it is", async () => {
    await (await openStore(dir, options)).close();
    const marker = join(dir, "store.json");
    const newer = (await readFile(marker, "utf8")).replace(/"version": \d+/, '"version": 999');
    await writeFile(marker, newer);
    await expect(openStore(dir, options)).rejects.toThrow(/format 999/);
    expect(await readFile(marker, "utf8")).toBe(newer);
  });
});

/** Windows lets only administrators make links. */
describe.skipIf(process.platform === "win32")("a folder from somebody else", () => {
  test.each([
    "lock",
    "lock/holder.json",
    "lock/db",
    "lock/db/000003.log",
    ".gitignore",
    "provisioned.json",
    "s3",
    "s3/index",
    "s3/blobs",
    "dynamodb/CURRENT",
  ])("is refused when its %s is a link, and what that points to stays as it is", async (name) => {
    const mine = join(dir, "..", "mine");
    await mkdir(mine);
    await chmod(mine, 0o755);
    await writeFile(join(mine, "letter.txt"), "mine");
    await mkdir(join(dir, name, ".."), { recursive: true });
    await writeFile(join(dir, "store.json"), '{"format": "local-aws store", "version": 1}');
    await symlink(/\.\w+$|CURRENT/.test(name) ? join(mine, "letter.txt") : mine, join(dir, name));
    const before = await readdir(dir, { recursive: true });
    for (const act of [openStore, reachStore, async () => resetStore(dir)]) {
      const error: unknown = await act(dir, options).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(StoreError);
      expect((error as StoreError).message).toBe(
        `${join(dir, name)} is a symbolic link, and a local store has none`,
      );
    }
    expect(await readdir(dir, { recursive: true })).toEqual(before);
    expect(await readdir(mine)).toEqual(["letter.txt"]);
    expect(await readFile(join(mine, "letter.txt"), "utf8")).toBe("mine");
    expect(await modeOf(mine)).toBe(0o755);
  });

  test("is not meant by a link to the store's folder, nor by links beside what is the store's", async () => {
    await mkdir(`${dir}-elsewhere`);
    await symlink(`${dir}-elsewhere`, dir);
    await (await openStore(dir, options)).close();
    await symlink("/", join(dir, "mine"));
    await (await openStore(dir, options)).close();
    expect(await storeExists(`${dir}-elsewhere`)).toBe(true);
  });
});

test.runIf(process.platform === "linux")(
  "no pipe is waited for, and no link is read, in the place of one of its files",
  async () => {
    await mkdir(dir);
    execFileSync("mkfifo", [join(dir, "store.json")]);
    await expect(storeExists(dir)).rejects.toMatchObject({ fault: "damaged" });
    await rm(join(dir, "store.json"));
    await symlink("/dev/zero", join(dir, "store.json"));
    await expect(storeExists(dir)).rejects.toMatchObject({ fault: "symbolic-link" });
  },
);

test("a lock's holder is written over nothing that a link points to", async () => {
  const mine = join(dir, "..", "letter.txt");
  await writeFile(mine, "mine");
  await mkdir(dir);
  await symlink(mine, join(dir, "holder.json"));
  await (await takeLock(dir)).release();
  expect(await readFile(mine, "utf8")).toBe("mine");
});

describe("two processes", () => {
  test("have the store one after the other, and both finish", async () => {
    const both = [start("log"), start("log")];
    await Promise.all(both.map(({ child }) => once(child, "exit")));
    const times = both.map(({ lines }) =>
      lines.filter((line) => line.startsWith("step")).map((line) => Number(line.slice(5))),
    );
    const [first, second] = times.sort((one, other) => (one[0] ?? 0) - (other[0] ?? 0));
    expect(first).toHaveLength(5);
    expect(second).toHaveLength(5);
    expect(first?.at(-1) ?? Infinity).toBeLessThanOrEqual(second?.[0] ?? 0);
  });

  test("a wait that is too long ends with the process that has the store", async () => {
    const { child, lines } = start("hold");
    await until(() => lines.includes("open"));
    const error: unknown = await openStore(dir, { ...options, waitMs: 50 }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(StoreError);
    expect((error as StoreError).message).toContain(`pid ${String(child.pid)}`);
    expect(error).toMatchObject({ fault: "in-use", pid: child.pid });
  });

  test("a wait can be broken off", async () => {
    const { lines } = start("hold");
    await until(() => lines.includes("open"));
    const stop = new AbortController();
    const waiting = openStore(dir, { ...options, signal: stop.signal });
    stop.abort(new Error("interrupted"));
    await expect(waiting).rejects.toThrow("interrupted");
  });

  test("a killed process leaves no lock behind", async () => {
    const { child, lines } = start("hold");
    await until(() => lines.includes("open"));
    await kill(child);
    const store = await openStore(dir, { ...options, waitMs: 0 });
    expect(await storeExists(dir)).toBe(true);
    await store.close();
  });

  test("a writer that is killed at any moment loses nothing it has acknowledged, in table and index", async () => {
    let next = 0;
    for (let round = 0; round < 6; round++) {
      const { child, lines } = start("write", String(next));
      await until(() => lines.length > 2);
      await sleep(Math.random() * 60);
      await kill(child);
      const acknowledged = lines
        .filter((line) => line.startsWith("wrote"))
        .map((line) => Number(line.slice(6)));
      const { items, rows } = await written();
      const numbers = items.map((item) => Number(item["n"]?.N)).sort((one, other) => one - other);
      const last = numbers.at(-1) ?? -1;
      // The write that was under way when the process was killed may have arrived or not.
      expect([0, 1]).toContain(last - Math.max(...acknowledged));
      const first = Math.max(0, last - 49);
      expect(numbers).toEqual(Array.from({ length: last - first + 1 }, (_, index) => first + index));
      expect(rows).toEqual(items);
      next = last + 1;
    }
  });
});

/** The items of the table, and the rows of its index, both in the order of their keys. */
async function written() {
  const store = await openStore(dir, options);
  try {
    const client = clientOf(await store.dynamodb(), store.credentials);
    const { Items: items = [] } = await client.send(new ScanCommand({ TableName: "things" }));
    const { Items: rows = [] } = await client.send(
      new ScanCommand({ TableName: "things", IndexName: "group" }),
    );
    const byKey = (one: (typeof items)[0], other: (typeof items)[0]) =>
      (one["pk"]?.S ?? "").localeCompare(other["pk"]?.S ?? "");
    return { items: items.sort(byKey), rows: rows.sort(byKey) };
  } finally {
    await store.close();
  }
}

describe("serving", () => {
  const secret = { accessKeyId: "LOCALX", secretAccessKey: "of no account" };

  async function listening() {
    const server = createServer((socket) => socket.end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return {
      endpoint: `http://127.0.0.1:${String(port)}`,
      async close() {
        server.close();
        await once(server, "close");
      },
    };
  }

  test("is found while its process lives and its port answers, and is told to the owner only", async () => {
    const store = await openStore(dir, options);
    const server = await listening();
    const { endpoint } = server;
    await writeServing(dir, { endpoint, region: "eu-central-1", ...secret });
    expect(await findServing(dir)).toEqual({ pid: process.pid, endpoint, region: "eu-central-1", ...secret });
    expect(await modeOf(join(dir, "serve.json"))).toBe(0o600);
    expect(await reachStore(dir, options)).toMatchObject({ endpoint });
    await expect(resetStore(dir)).rejects.toThrow(/being served/);
    await removeServing(dir);
    expect(await findServing(dir)).toBeUndefined();
    await store.close();
    await server.close();
  });

  test("is believed of a server of this machine alone, whose process is this user's own", async () => {
    await (await openStore(dir, options)).close();
    const file = join(dir, "serve.json");
    const server = await listening();
    const { port } = new URL(server.endpoint);
    for (const endpoint of [
      `http://localhost:${port}`,
      `http://127.0.0.1:${port}@example.com`,
      `http://127.0.0.1.example.com:${port}`,
      `https://127.0.0.1:${port}`,
      "http://192.0.2.1:80",
    ]) {
      await writeFile(file, JSON.stringify({ pid: process.pid, endpoint, ...secret }));
      expect([endpoint, await findServing(dir)]).toEqual([endpoint, undefined]);
    }
    await writeServing(dir, { endpoint: server.endpoint, region: "eu-central-1", ...secret });
    expect(await findServing(dir)).toMatchObject({ endpoint: server.endpoint });
    await server.close();
  });

  test.each([0, -1, 1.5, -process.pid])("is not believed of the process %d", async (pid) => {
    await (await openStore(dir, options)).close();
    const server = await listening();
    await writeFile(
      join(dir, "serve.json"),
      JSON.stringify({ pid, endpoint: server.endpoint, region: "eu-central-1", ...secret }),
    );
    expect(await findServing(dir)).toBeUndefined();
    await server.close();
  });

  test.runIf(process.platform === "linux" && process.getuid?.() === 0)(
    "is not believed of a port at which another user listens",
    async () => {
      await (await openStore(dir, options)).close();
      const script =
        'const s = require("net").createServer((c) => c.end()).listen(0, process.argv[1], () => console.log(s.address().port))';
      for (const address of ["127.0.0.1", "0.0.0.0", "::"]) {
        const child = spawn(process.execPath, ["-e", script, address], {
          cwd: "/",
          uid: 65_534,
          stdio: ["ignore", "pipe", "inherit"],
        });
        children.push(child);
        const [port] = (await once(child.stdout, "data")) as [Buffer];
        const endpoint = `http://127.0.0.1:${port.toString().trim()}`;
        await writeServing(dir, { endpoint, region: "eu-central-1", ...secret });
        expect([address, await findServing(dir)]).toEqual([address, undefined]);
      }
    },
  );

  // Only the system's administrator can give a file away.
  test.runIf(process.getuid?.() === 0)("is not believed of another user's file", async () => {
    await (await openStore(dir, options)).close();
    const server = await listening();
    await writeServing(dir, { endpoint: server.endpoint, region: "eu-central-1", ...secret });
    await chown(join(dir, "serve.json"), 65_534, 65_534);
    expect(await findServing(dir)).toBeUndefined();
    await server.close();
  });

  test("is found also by one who waits for the store already", async () => {
    const store = await openStore(dir, options);
    const server = await listening();
    const reached = reachStore(dir, options);
    await sleep(20);
    await writeServing(dir, { endpoint: server.endpoint, region: "eu-central-1", ...secret });
    expect(await reached).toMatchObject({ endpoint: server.endpoint });
    await store.close();
    await server.close();
  });

  test("is not believed when its port is silent or its process gone, and forgotten at the next opening", async () => {
    await (await openStore(dir, options)).close();
    const server = await listening();
    await writeServing(dir, { endpoint: server.endpoint, region: "eu-central-1", ...secret });
    await server.close();
    expect(await findServing(dir)).toBeUndefined();
    const file = join(dir, "serve.json");
    const { child } = start("nothing");
    await once(child, "exit");
    const another = await listening();
    await writeFile(file, JSON.stringify({ pid: child.pid, endpoint: another.endpoint, ...secret }));
    expect(await findServing(dir)).toBeUndefined();
    await another.close();
    const store = await reachStore(dir, options);
    expect("close" in store).toBe(true);
    expect(await readdir(dir)).not.toContain("serve.json");
    if ("close" in store) await store.close();
  });
});

describe("reset", () => {
  test("deletes the store and its folder, and nothing when there is none", async () => {
    const store = await openStore(dir, options);
    await store.dynamodb();
    await store.close();
    await resetStore(dir);
    await expect(stat(dir)).rejects.toThrow("ENOENT");
    await resetStore(dir);
  });

  test("leaves what is not the store's", async () => {
    await (await openStore(dir, options)).close();
    await writeFile(join(dir, "letter.txt"), "mine");
    await resetStore(dir);
    expect(await readdir(dir)).toEqual(["letter.txt"]);
  });

  test("refuses a folder that is no store", async () => {
    await mkdir(join(dir, "s3"), { recursive: true });
    await expect(resetStore(dir)).rejects.toThrow(/not a local store/);
    expect(await readdir(dir)).toEqual(["s3"]);
  });

  test("refuses a store that is in use", async () => {
    const store = await openStore(dir, options);
    await expect(resetStore(dir, { waitMs: 20 })).rejects.toThrow(/in use/);
    expect(await storeExists(dir)).toBe(true);
    await store.close();
  });
});
