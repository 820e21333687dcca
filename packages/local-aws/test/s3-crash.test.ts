import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NoSuchKey, type S3 } from "@aws-sdk/client-s3";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bucket, changes, Key } from "./s3-crash-changes.ts";
import { openStore } from "./s3-client.ts";

let built = "";
let scratch = "";
let stores = 0;

beforeAll(async () => {
  // Beside the packages, so that the native one is found.
  const cache = join(import.meta.dirname, "../../../node_modules/.cache");
  await mkdir(cache, { recursive: true });
  built = await mkdtemp(join(cache, "s3-crash-"));
  scratch = await mkdtemp(join(tmpdir(), "mawps-s3-crash-"));
  await build({
    entryPoints: [join(import.meta.dirname, "s3-crash-child.ts")],
    outfile: join(built, "child.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "silent",
  });
});

afterAll(async () => {
  await rm(built, { recursive: true, force: true });
  await rm(scratch, { recursive: true, force: true });
});

/** Runs the child on a store of its own; `steps` is what it got to do. */
function die(change: string, fatal: number): Promise<{ dir: string; steps: string[] }> {
  const dir = join(scratch, String(++stores));
  return new Promise((resolve) => {
    execFile(process.execPath, [join(built, "child.mjs"), dir, change, String(fatal)], (_error, stdout) => {
      resolve({ dir, steps: stdout.trim().split("\n") });
    });
  });
}

async function read(s3: S3): Promise<string | undefined> {
  try {
    return await (await s3.getObject({ Bucket, Key })).Body?.transformToString();
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

test("a new object is on the disk, renamed and in its folder before the index says so", async () => {
  const { steps } = await die("replace", 0);
  expect(steps.filter((step) => step.startsWith("before") || step === "acknowledged")).toEqual([
    "before note",
    "before fsync file",
    "before rename",
    "before fsync folder",
    "before durable batch",
    "before remove",
    "before remove",
    "before note",
    "acknowledged",
  ]);
});

test.for(Object.keys(changes))(
  "kill -9 at any step of '%s' leaves the state before or after, and no file too many",
  async (name, { expect }) => {
    const change = changes[name];
    if (change === undefined) throw new Error(name);
    const { steps } = await die(name, 0);
    expect(steps.at(-1)).toBe("acknowledged");
    const committed = steps.indexOf("after durable batch");
    const outcomes = await Promise.all(
      steps.slice(0, -1).map(async (step, at) => {
        const { dir } = await die(name, at + 1);
        const store = await openStore(dir);
        const body = await read(store.s3);
        const state = body === change.after ? "after" : body === change.before ? "before" : "broken";
        const files = (await readdir(join(dir, "blobs"))).length;
        await store.close();
        return { step, at, state, files };
      }),
    );
    for (const { at, step, state, files } of outcomes) {
      expect(state, `killed at ${step}`).toBe(at >= committed ? "after" : "before");
      expect(files, `killed at ${step}`).toBe(change.files[state === "after" ? 1 : 0]);
    }
  },
);

test("an upload that was under way when the process died goes on afterwards", async () => {
  const { dir } = await die("complete an upload", 1);
  const store = await openStore(dir);
  const { Uploads = [] } = await store.s3.listMultipartUploads({ Bucket });
  const UploadId = Uploads[0]?.UploadId ?? "";
  const { Parts = [] } = await store.s3.listParts({ Bucket, Key, UploadId });
  expect(Parts.map((part) => part.PartNumber)).toEqual([1, 2]);
  await store.s3.abortMultipartUpload({ Bucket, Key, UploadId });
  expect((await readdir(join(dir, "blobs"))).length).toBe(1);
  await store.close();
});
