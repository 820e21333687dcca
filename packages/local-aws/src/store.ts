import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { StoreError } from "./errors.ts";
import type { Lock, LockOptions } from "./lock.ts";
import { takeLock, takeLockUnless } from "./lock.ts";
import type { LocalCredentials, LocalOptions, LocalService } from "./service.ts";

/*
 * The folder of a store:
 *   .gitignore        of everything: it lies beside a user's own files
 *   store.json        marks it as one, with the version of its format
 *   credentials.json  the one account, mode 0600
 *   serve.json        only while the store is served: where, and with which keys (mode 0600)
 *   provisioned.json  what the program that uses the store remembers of it
 *   lock/             held by the one process that has the store open
 *   s3/ dynamodb/ cognito/ cloudwatch/ autoscaling/   each service's own
 */

/** Rises when an older program could no longer read the store. */
const formatVersion = 1;

const files = {
  marker: "store.json",
  credentials: "credentials.json",
  serving: "serve.json",
  lock: "lock",
  ignore: ".gitignore",
} as const;

/** What a reset removes, in this order: the marker last, so that a broken-off reset can be run again. */
const contents = [
  "s3",
  "dynamodb",
  "cognito",
  "cloudwatch",
  "autoscaling",
  "provisioned.json",
  files.serving,
  files.credentials,
  files.ignore,
  files.marker,
  files.lock,
];

export interface StoreOptions extends LockOptions {
  readonly region: string;
  readonly now: () => Date;
}

export interface ResetOptions extends LockOptions {
  /** What the program that uses the store keeps in its folder, to be deleted with it. */
  readonly beside?: readonly string[];
}

/** An open store. Its services are opened on first use and closed with it. */
export interface LocalStore {
  readonly credentials: LocalCredentials;
  s3(): Promise<LocalService>;
  dynamodb(): Promise<LocalService>;
  cognito(): Promise<LocalService>;
  cloudwatch(): Promise<LocalService>;
  autoscaling(): Promise<LocalService>;
  /** Closes the services, then lets go of the lock. May be called twice. */
  close(): Promise<void>;
}

/** Where a store is served. */
export interface Serving extends LocalCredentials {
  readonly pid: number;
  readonly endpoint: string;
  readonly region: string;
}

/**
 * Opens the store in `dir` for this process alone, and makes it where there is none. Waits for another process to
 * finish with it. Rejects with a `StoreError` when that takes longer than `waitMs`, when the folder is none or holds something
 * else or a symbolic link in place of what is the store's, or when a newer program wrote the store.
 */
export async function openStore(dir: string, options: StoreOptions): Promise<LocalStore> {
  await refuseForeign(dir);
  await refuseLinks(dir);
  return openLocked(dir, await takeLock(join(dir, files.lock), options), options);
}

/**
 * The same, but a store that is being served is not waited for: then gives where. Also when `local serve`
 * has the store already and is only about to say so.
 */
export async function reachStore(dir: string, options: StoreOptions): Promise<LocalStore | Serving> {
  await refuseLinks(dir);
  const serving = await findServing(dir);
  if (serving !== undefined) return serving;
  await refuseForeign(dir);
  const lock = await takeLockUnless(join(dir, files.lock), () => findServing(dir), options);
  return "release" in lock ? openLocked(dir, lock, options) : lock;
}

async function openLocked(dir: string, lock: Lock, options: StoreOptions): Promise<LocalStore> {
  try {
    await checkFormat(dir);
    // Whoever serves a store holds its lock: what still lies here was left behind.
    await rm(join(dir, files.serving), { force: true });
    const credentials = await credentialsOf(dir);
    return services(dir, lock, { region: options.region, now: options.now, credentials });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function services(dir: string, lock: Lock, options: LocalOptions): LocalStore {
  const opened: Promise<LocalService>[] = [];
  let closed: Promise<void> | undefined;
  function once<T extends LocalService>(start: () => Promise<T>): () => Promise<T> {
    let service: Promise<T> | undefined;
    return async () => {
      if (service !== undefined) return service;
      if (closed !== undefined) throw new Error("the store is closed");
      service = start();
      opened.push(service);
      return service;
    };
  }
  async function closeAll(): Promise<void> {
    const started = await Promise.allSettled(opened);
    const done = await Promise.allSettled(
      started.map(async (service) => (service.status === "fulfilled" ? service.value.close() : undefined)),
    );
    await lock.release();
    for (const service of done) if (service.status === "rejected") throw service.reason;
  }
  // Loaded on first use: a command on one service should not read the code of the other.
  const s3 = once(async () => (await import("./s3/open.ts")).openS3(await closedFolder(dir, "s3"), options));
  return {
    credentials: options.credentials,
    s3,
    dynamodb: once(async () =>
      (await import("./dynamodb/open.ts")).openDynamoDb(await closedFolder(dir, "dynamodb"), {
        ...options,
        putObject: async (put) => (await s3()).put(put),
      }),
    ),
    cognito: once(async () =>
      (await import("./cognito/open.ts")).openCognito(await closedFolder(dir, "cognito"), options),
    ),
    cloudwatch: once(async () =>
      (await import("./cloudwatch/open.ts")).openCloudWatch(await closedFolder(dir, "cloudwatch"), options),
    ),
    autoscaling: once(async () =>
      (await import("./autoscaling/open.ts")).openAutoScaling(
        await closedFolder(dir, "autoscaling"),
        options,
      ),
    ),
    async close() {
      closed ??= closeAll();
      await closed;
    },
  };
}

/** A service's folder, which nobody else can look into, whatever `dir` above it lets them: LevelDB's files are for everybody. */
async function closedFolder(dir: string, name: string): Promise<string> {
  const folder = join(dir, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  return folder;
}

/** Whether `dir` holds a store. */
export async function storeExists(dir: string): Promise<boolean> {
  return (await readJson(join(dir, files.marker))) !== undefined;
}

/**
 * Deletes the store in `dir`, and the folder if nothing else lies in it. Nothing happens when there is no such folder.
 * Rejects with a `StoreError` when the folder is not a store or is in use; then nothing was touched.
 */
export async function resetStore(dir: string, options: ResetOptions = {}): Promise<void> {
  if ((await namesIn(dir)).length === 0) return;
  if (!(await storeExists(dir))) {
    throw new StoreError("no-store", `${dir} is not a local store: it has no ${files.marker}`);
  }
  await refuseLinks(dir);
  const serving = await findServing(dir);
  if (serving !== undefined) {
    const { endpoint, pid } = serving;
    throw new StoreError("served", `the local store is being served at ${endpoint} (pid ${String(pid)})`, {
      pid,
    });
  }
  const lock = await takeLock(join(dir, files.lock), options);
  try {
    for (const name of [...(options.beside ?? []), ...contents])
      await rm(join(dir, name), { recursive: true, force: true });
    if ((await namesIn(dir)).length === 0) await rm(dir, { recursive: true, force: true });
  } finally {
    await lock.release();
  }
}

/**
 * Where `local serve` answers for the store in `dir`, if it really does: its process lives and its port answers. The folder may
 * have come from somebody else, so only a server of this user's own on this machine is believed: what a command works on
 * would go to it.
 */
export async function findServing(dir: string): Promise<Serving | undefined> {
  const path = join(dir, files.serving);
  const found = await readJson(path);
  if (found === undefined || !(await isOwn(path))) return undefined;
  const serving = found as Partial<Serving>;
  const { pid, endpoint } = serving;
  if (typeof pid !== "number" || typeof endpoint !== "string" || !isOwnProcess(pid)) return undefined;
  if (!/^http:\/\/127\.0\.0\.1:\d{1,5}$/.test(endpoint)) return undefined;
  if (!(await answers(endpoint)) || !(await isOwnPort(Number(new URL(endpoint).port)))) return undefined;
  return serving as Serving;
}

/** Windows knows no numbers of users; there the folders' own rights have to do. */
async function isOwn(path: string): Promise<boolean> {
  const own = process.getuid?.();
  return own === undefined || (await lstat(path).catch(() => undefined))?.uid === own;
}

/** Says where this process serves the store. To be called while holding the store, once the port answers. */
export async function writeServing(dir: string, serving: Omit<Serving, "pid">): Promise<void> {
  const { endpoint, region, accessKeyId, secretAccessKey } = serving;
  await writeJson(join(dir, files.serving), {
    pid: process.pid,
    endpoint,
    region,
    accessKeyId,
    secretAccessKey,
  });
}

/** To be called before the store is closed. */
export async function removeServing(dir: string): Promise<void> {
  await rm(join(dir, files.serving), { force: true });
}

/**
 * Whether it lives and belongs to this user: signal 0 asks only, and may not be sent to another's. Zero and what is below
 * it name groups of processes, of which some always live.
 */
function isOwnProcess(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/**
 * Whether nobody but this user listens there, on Linux, whose list of sockets names their users; elsewhere, and where the list
 * says nothing, the process has to do.
 */
async function isOwnPort(port: number): Promise<boolean> {
  const own = process.getuid?.();
  if (process.platform !== "linux" || own === undefined) return true;
  const lists = await Promise.all(
    ["tcp", "tcp6"].map(async (name) => readFile(`/proc/net/${name}`, "utf8").catch(() => "")),
  );
  const listening = "0A";
  return !lists
    .join("\n")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .some(([, local = "", , state, , , , uid]) => {
      const [address = "", hexPort = ""] = local.split(":");
      const isHere = /^0+$|(?:0100007F|7F000001)$/.test(address);
      return state === listening && isHere && parseInt(hexPort, 16) === port && Number(uid) !== own;
    });
}

const answerLimitMs = 1000;

function answers(endpoint: string): Promise<boolean> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: answerLimitMs });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}

async function namesIn(dir: string): Promise<string[]> {
  return (await readdir(dir).catch((error: unknown) => missing(error, dir))) ?? [];
}

/** A folder with other things in it is never made into a store. One that is just being made holds no marker yet. */
async function refuseForeign(dir: string): Promise<void> {
  const names = await namesIn(dir);
  const ours =
    names.length === 0 ||
    names.includes(files.marker) ||
    names.every((name) => name === files.lock || name === files.ignore || name.startsWith(files.marker));
  if (ours) return;
  throw new StoreError("not-empty", `${dir} is not empty and not a local store`);
}

/**
 * A folder that somebody else has packed may hold links in place of the store's own files, and what they point to would be
 * written over. The folder itself may be a link: that is the user's word. The files of `blobs`, which may be many, are only
 * ever made anew.
 */
async function refuseLinks(dir: string): Promise<void> {
  const link = await linkIn(dir, (name) => contents.includes(name));
  if (link !== undefined) throw linked(link);
}

function linked(path: string): StoreError {
  return new StoreError("symbolic-link", `${path} is a symbolic link, and a local store has none`);
}

async function linkIn(folder: string, isAsked: (name: string) => boolean): Promise<string | undefined> {
  const found = await readdir(folder, { withFileTypes: true }).catch((error: unknown) =>
    missing(error, folder),
  );
  const asked = (found ?? []).filter(({ name }) => isAsked(name));
  const link = asked.find((entry) => entry.isSymbolicLink());
  if (link !== undefined) return join(folder, link.name);
  const folders = asked.filter((entry) => entry.isDirectory() && entry.name !== "blobs");
  const below = await Promise.all(folders.map(({ name }) => linkIn(join(folder, name), () => true)));
  return below.find((each) => each !== undefined);
}

async function checkFormat(dir: string): Promise<void> {
  const path = join(dir, files.marker);
  const marker = await readJson(path);
  if (marker === undefined) {
    await writeFile(join(dir, files.ignore), "*\n", { mode: 0o600 });
    await writeJson(path, { format: "local-aws store", version: formatVersion });
    return;
  }
  const version = marker["version"];
  if (typeof version !== "number") {
    throw new StoreError("damaged", `${path} is damaged: it names no format version`);
  }
  if (version <= formatVersion) return;
  throw new StoreError(
    "newer-format",
    `the local store ${dir} has format ${String(version)}, and this program knows only ${String(formatVersion)}`,
  );
}

async function credentialsOf(dir: string): Promise<LocalCredentials> {
  const path = join(dir, files.credentials);
  const { accessKeyId, secretAccessKey } = (await readJson(path)) ?? {};
  if (typeof accessKeyId === "string" && typeof secretAccessKey === "string")
    return { accessKeyId, secretAccessKey };
  const made = {
    accessKeyId: `LOCAL${randomBytes(10).toString("hex").slice(0, 15).toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString("base64url"),
  };
  await writeJson(path, made);
  return made;
}

/** A pipe that somebody else has put in a file's place is not waited for, and a link to what never ends is not read. */
const ofFilesAlone = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** Undefined when there is no such file. Rejects with a `StoreError` when it is damaged, or a link. */
async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  const text = await readFile(path, { encoding: "utf8", flag: ofFilesAlone }).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ELOOP") throw linked(path);
    return code === "EAGAIN" ? "" : missing(error, dirname(path));
  });
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // Falls through to the one answer for everything that is not an object; the text itself may hold a secret.
  }
  throw new StoreError("damaged", `${path} is damaged: it is not a JSON object`);
}

/** Undefined for what is not there; rejects with a `StoreError` where `folder` cannot be one, and with every other error as it is. */
async function missing(error: unknown, folder: string): Promise<undefined> {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return undefined;
  if (code !== "ENOTDIR") throw error;
  const file = await fileAt(folder);
  const what = file === folder ? "the local store is a folder" : `${folder} cannot be in it`;
  throw new StoreError("no-folder", `${file} is a file: ${what}`);
}

/** The file on the way to `path`: itself, or what stands in the place of a folder above it. */
async function fileAt(path: string): Promise<string> {
  const isThere = await lstat(path).then(
    () => true,
    () => false,
  );
  return isThere || dirname(path) === path ? path : fileAt(dirname(path));
}

/** The whole file or nothing, readable for its owner only. */
async function writeJson(path: string, content: object): Promise<void> {
  const passing = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  const file = await open(passing, "wx", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(content, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(passing, path);
}
