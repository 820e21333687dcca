/*
 * A process that dies by its own SIGKILL at a given step of a given change. Steps are the calls to the disk, each
 * counted before and after; their names go to stdout as they happen, "acknowledged" when the store has answered.
 *
 *   node s3-crash-child.mjs <store> <change> <step, 0 for never>
 */
import { writeSync } from "node:fs";
import promises, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { ClassicLevel } from "classic-level";
import { changes } from "./s3-crash-changes.ts";
import { openStore } from "./s3-client.ts";

const [dir = "", change = "", fatal = "0"] = process.argv.slice(2);
let counting = false;
let count = 0;

function step(name: string): void {
  if (!counting) return;
  count++;
  writeSync(1, `${name}\n`);
  if (count === Number(fatal)) process.kill(process.pid, "SIGKILL");
}

type Call = (this: unknown, ...parameters: unknown[]) => Promise<unknown>;

function watch(owner: object, method: string, name: (parameters: unknown[]) => string): void {
  const methods = owner as Record<string, Call>;
  const original = methods[method];
  if (original === undefined) throw new Error(`no method ${method}`);
  methods[method] = async function watched(this: unknown, ...parameters: unknown[]) {
    const label = name(parameters);
    step(`before ${label}`);
    const result = await original.apply(this, parameters);
    step(`after ${label}`);
    return result;
  };
}

const probe: FileHandle = await promises.open(process.execPath, "r");
const handles = Object.getPrototypeOf(probe) as object;
await probe.close();
watch(handles, "datasync", () => "fsync file");
watch(handles, "sync", () => "fsync folder");
watch(promises, "rename", () => "rename");
watch(promises, "rm", () => "remove");
syncBuiltinESMExports();
watch(ClassicLevel.prototype, "batch", ([, options]) =>
  (options as { sync: boolean }).sync ? "durable batch" : "note",
);

const store = await openStore(dir);
const run = changes[change];
if (run === undefined) throw new Error(`no change ${change}`);
const prepared = await run.prepare(store.s3);
counting = true;
await run.change(store.s3, prepared);
counting = false;
writeSync(1, "acknowledged\n");
await store.close();
