import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CliError } from "../errors.ts";
import { standingOf } from "../lease.ts";
import { makeFolders } from "../make-folders.ts";
import { canonicalJson, isRecord } from "../model/json.ts";
import type { Repository } from "./repository.ts";
import { damageMarks, type DamageMark } from "./damage.ts";
import type { BackupSite } from "./site.ts";
import { isCommitted, snapshotId } from "./snapshots.ts";

/*
 * A backup on its way: `pending/<id>/owner-<n>.json`, rewritten every half minute, and beside it a small file for each step
 * that is done. A killed one is taken up by the next command with the same options: it creates owner n + 1, which only one can;
 * the former owner, should it live, finds that before it commits, and stops.
 */

/** Rewritten so often while a command is at work. */
export const heartbeatMs = 30_000;
/** Without a heartbeat for so long a command counts as dead. */
const deadMs = 3 * 60_000;
/** A prune leaves the contents alone while a pending backup is younger, and removes it when it is older. */
export const abandonedMs = 24 * 60 * 60_000;

export interface Owner {
  readonly host: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly beatAt: string;
  /** Hash of what it was begun with. */
  readonly options: string;
}

export interface BeginPending {
  /** What the backup holds depends on these: only what was begun with the same is taken up. */
  readonly options: unknown;
  readonly host: string;
  readonly pid: number;
  /** Whether a process of this machine lives. */
  readonly isAlive: (pid: number) => boolean;
  /** Folder for the keys of steps in encrypted repositories, which nothing readable may lie in. */
  readonly keyFolder: string;
  readonly now: () => Date;
  readonly randomHex: (bytes: number) => string;
  readonly signal: AbortSignal;
}

export interface Pending {
  /** Of the backup to be. */
  readonly id: string;
  readonly startedAt: Date;
  /** Taken up from a command that ended before its time. */
  readonly resumed: boolean;
  /** Backups that were whole when their command ended, and are still pending: to be recorded and removed from here. */
  readonly committed: readonly string[];
  /** Names of contents that were marked as damaged when it began or was taken up: what its steps say of them counts no more. */
  readonly damaged: readonly string[];
  /** What was saved by `step`, by name. */
  readonly steps: ReadonlyMap<string, unknown>;
  /** Saves that something is done; names in [a-z0-9-]. The same name again replaces it. */
  step(name: string, state: unknown): Promise<void>;
  /** Rejects when another command has taken this over, or a prune has removed it: then nothing may be committed. */
  assertOwner(): Promise<void>;
  /** Removes all of it; after the commit. */
  end(): Promise<void>;
  /** Ends the heartbeat and leaves the rest to be taken up. */
  stop(): void;
}

/** Takes up the newest backup of the same options whose command is dead, or begins a new one. */
export async function beginPending(repository: Repository, begin: BeginPending): Promise<Pending> {
  const options = createHash("sha256").update(canonicalJson(begin.options)).digest("hex");
  const found = (await listPending(repository, begin.signal)).filter(
    ({ owner }) => owner.options === options,
  );
  const marks = await damageMarks(repository.store, begin.signal);
  const damaged = marks.map(({ name }) => name);
  const committed: string[] = [];
  for (const one of found.reverse()) {
    if (isLive(one.owner, begin)) {
      const { host, pid, startedAt } = one.owner;
      throw new CliError(
        `this backup is being made already, since ${startedAt} by process ${pid} on ${host}`,
        {
          hint: "wait for it, or end it: the next command goes on where it stopped",
        },
      );
    }
    if (await isCommitted(repository, one.id, begin.signal)) {
      committed.push(one.id);
      continue;
    }
    // Not from a day ago: a backup should not be older than it looks. A prune removes it.
    if (begin.now().getTime() - Date.parse(one.owner.startedAt) > abandonedMs) continue;
    const key = await readKey(repository, one.id, begin);
    const steps = key === undefined ? undefined : await readSteps(repository, one.id, { key, begin });
    // Without this machine's key there is nothing to go on from; contents that are there are still not written twice.
    if (key === undefined || steps === undefined) continue;
    // Its steps may say of a content that it is stored that was found damaged since.
    if (!knows(steps, marks)) continue;
    const owner = { ...ownerOf(begin, options), startedAt: one.owner.startedAt };
    if (!(await claim(repository, one.id, { owner, number: one.number + 1, begin }))) continue;
    return started(repository, one.id, {
      owner,
      number: one.number + 1,
      key,
      steps,
      committed,
      damaged,
      begin,
    });
  }
  const owner = ownerOf(begin, options);
  const id = await claimNew(repository, owner, begin);
  const key = await newKey(repository, id, begin);
  const steps = new Map<string, unknown>();
  const pending = started(repository, id, { owner, number: 1, key, steps, committed, damaged, begin });
  if (marks.length > 0) await pending.step(damageStep, marks);
  return pending;
}

/** Tells of backups whose commands ended before they could, and has what was found damaged written again. */
export async function goOnBehind(
  { audit, repository, signal }: BackupSite,
  { committed, damaged }: Pending,
): Promise<void> {
  for (const id of committed) {
    await audit.record({ action: "backup.created", details: { backupId: id } });
    await removePending(repository, id, signal);
  }
  for (const name of damaged) repository.distrusted.add(name);
}

const damageStep = "damaged";

/** Whether a backup knew of all that is damaged when it was begun, before its other steps. */
function knows(steps: ReadonlyMap<string, unknown>, marks: readonly DamageMark[]): boolean {
  const known = (steps.get(damageStep) as readonly DamageMark[] | undefined) ?? [];
  return marks.every(({ name, since }) => known.some((one) => one.name === name && one.since === since));
}

/** Every backup on its way or abandoned, oldest first, with its last owner. */
export async function listPending(
  repository: Repository,
  signal?: AbortSignal,
): Promise<{ id: string; number: number; owner: Owner }[]> {
  const last = new Map<string, { number: number; name: string }>();
  for await (const { name } of repository.store.list("pending/", signal)) {
    const [, id, number] = /^pending\/([^/]+)\/owner-(\d+)\.json$/.exec(name) ?? [];
    if (id === undefined || number === undefined) continue;
    if (Number(number) > (last.get(id)?.number ?? 0)) last.set(id, { number: Number(number), name });
  }
  const found: { id: string; number: number; owner: Owner }[] = [];
  for (const [id, { number, name }] of last) {
    const owner = parseOwner(await repository.store.readBytes(name, signal));
    if (owner !== undefined) found.push({ id, number, owner });
  }
  return found;
}

/** Removes a pending backup whose command is gone for good. */
export async function removePending(repository: Repository, id: string, signal?: AbortSignal): Promise<void> {
  const names: string[] = [];
  for await (const { name } of repository.store.list(`pending/${id}/`, signal)) names.push(name);
  // The owners last: a folder with an owner is still somebody's.
  const isOwner = (name: string) => name.includes("/owner-");
  await repository.store.remove(
    [...names.filter((name) => !isOwner(name)), ...names.filter(isOwner)],
    signal,
  );
}

/**
 * Whether the command at work is still there, as far as can be told from here. Its number alone proves nothing: after a
 * restart another process may have it.
 */
export function isLive(
  { host, pid, beatAt }: Pick<Owner, "host" | "pid" | "beatAt">,
  here: Pick<BeginPending, "host" | "pid" | "isAlive" | "now">,
): boolean {
  const isEnded = !(here.now().getTime() - Date.parse(beatAt) < deadMs);
  return standingOf({ host, pid }, here, isEnded) !== "free";
}

interface Started {
  readonly owner: Owner;
  readonly number: number;
  readonly key: Buffer;
  readonly steps: ReadonlyMap<string, unknown>;
  readonly committed: readonly string[];
  readonly damaged: readonly string[];
  readonly begin: BeginPending;
}

function started(
  repository: Repository,
  id: string,
  { owner, number, key, steps, committed, damaged, begin }: Started,
): Pending {
  const { store } = repository;
  const { signal } = begin;
  const beat = async () => {
    const next = { ...owner, beatAt: begin.now().toISOString() };
    // Gone: a prune has removed it. Writing it again would bring it back to life.
    if ((await store.stat(ownerName(id, number))) === undefined) return;
    await store.replace(ownerName(id, number), json(next));
  };
  // A beat that fails is followed by another; should they all fail, whoever takes over is found before the commit.
  let beating = Promise.resolve();
  const timer = setInterval(() => {
    beating = beat().catch(() => undefined);
  }, heartbeatMs);
  timer.unref();
  return {
    id,
    startedAt: new Date(owner.startedAt),
    resumed: number > 1,
    committed,
    damaged,
    steps,
    async step(name, state) {
      await store.replace(stepName(id, name), seal(repository, key, json(state)), signal);
    },
    async assertOwner() {
      const last = (await listPending(repository, signal)).find((one) => one.id === id);
      if (last?.number === number) return;
      const why = last === undefined ? "a prune has removed" : "another command has taken over";
      throw new CliError(`${why} this backup while it was at rest; nothing of it counts`, {
        hint: "mawps backup create",
      });
    },
    async end() {
      clearInterval(timer);
      // One under way would write the owner again behind the removal.
      await beating;
      await removePending(repository, id);
      await rm(keyPath(begin, id), { force: true });
    },
    stop() {
      clearInterval(timer);
    },
  };
}

function ownerOf({ host, pid, now }: BeginPending, options: string): Owner {
  const time = now().toISOString();
  return { host, pid, startedAt: time, beatAt: time, options };
}

async function claim(
  { store }: Repository,
  id: string,
  { owner, number, begin }: { owner: Owner; number: number; begin: BeginPending },
): Promise<boolean> {
  return (await store.create(ownerName(id, number), json(owner), begin.signal)) === "created";
}

/** Begins a backup under an id that no other one has: of two in the same millisecond one in 4,096 pairs would have the same. */
async function claimNew(repository: Repository, owner: Owner, begin: BeginPending): Promise<string> {
  for (;;) {
    const id = snapshotId(begin.now(), begin.randomHex(3));
    if (await isCommitted(repository, id, begin.signal)) continue;
    if (await claim(repository, id, { owner, number: 1, begin })) return id;
  }
}

function ownerName(id: string, number: number): string {
  return `pending/${id}/owner-${number}.json`;
}

function stepName(id: string, name: string): string {
  return `pending/${id}/step-${name}.json`;
}

function json(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

function parseOwner(bytes: Buffer | undefined): Owner | undefined {
  const found = bytes === undefined ? undefined : parsed(bytes);
  const isOwner =
    isRecord(found) &&
    ["host", "startedAt", "beatAt", "options"].every((name) => typeof found[name] === "string") &&
    typeof found["pid"] === "number";
  return isOwner ? (found as unknown as Owner) : undefined;
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Undefined when a step cannot be read: then all of it starts over. */
async function readSteps(
  repository: Repository,
  id: string,
  { key, begin }: { key: Buffer; begin: BeginPending },
): Promise<Map<string, unknown> | undefined> {
  const steps = new Map<string, unknown>();
  for await (const { name } of repository.store.list(`pending/${id}/step-`, begin.signal)) {
    const bytes = await repository.store.readBytes(name, begin.signal);
    const plain = bytes === undefined ? undefined : unseal(repository, key, bytes);
    const state = plain === undefined ? undefined : parsed(plain);
    if (state === undefined) return undefined;
    steps.set(name.slice(stepName(id, "").length - ".json".length, -".json".length), state);
  }
  return steps;
}

const ivBytes = 12;
const tagBytes = 16;

/** In an encrypted repository AES-256-GCM: 12 bytes of IV, the text, 16 bytes of tag. */
function seal({ encryption }: Repository, key: Buffer, bytes: Buffer): Buffer {
  if (encryption === "none") return bytes;
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  return Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

function unseal({ encryption }: Repository, key: Buffer, bytes: Buffer): Buffer | undefined {
  if (encryption === "none") return bytes;
  if (bytes.length < ivBytes + tagBytes) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, ivBytes));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function keyPath({ keyFolder }: BeginPending, id: string): string {
  return join(keyFolder, `${id}.key`);
}

const noKey = Buffer.alloc(0);

async function newKey({ encryption }: Repository, id: string, begin: BeginPending): Promise<Buffer> {
  if (encryption === "none") return noKey;
  const key = randomBytes(32);
  await makeFolders(begin.keyFolder, 0o700);
  await writeFile(keyPath(begin, id), key, { mode: 0o600 });
  return key;
}

async function readKey(
  { encryption }: Repository,
  id: string,
  begin: BeginPending,
): Promise<Buffer | undefined> {
  if (encryption === "none") return noKey;
  try {
    const key = await readFile(keyPath(begin, id));
    return key.length === 32 ? key : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
