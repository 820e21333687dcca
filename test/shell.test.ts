import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runShell } from "../src/shell.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-test-"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Ran {
  readonly text: () => string;
  /** Resolves once the command has written this. */
  readonly said: (text: string) => Promise<void>;
  readonly exit: Promise<number>;
}

function run(command: string, signal = new AbortController().signal): Ran {
  let text = "";
  const waiting = new Map<string, () => void>();
  const exit = runShell(command, {
    cwd: folder,
    env: { PATH: process.env["PATH"] },
    signal,
    onOutput(bytes) {
      text += Buffer.from(bytes).toString("latin1");
      for (const [wanted, resolve] of waiting) if (text.includes(wanted)) resolve();
    },
  });
  return { text: () => text, said: (wanted) => new Promise((done) => waiting.set(wanted, done)), exit };
}

/** State of a process as Linux tells it: gone, or a zombie that its new parent has not asked after yet. */
async function isGone(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => undefined);
  return stat === undefined || /\) Z /.test(stat);
}

async function untilGone(pid: number): Promise<void> {
  while (!(await isGone(pid))) await new Promise((done) => setTimeout(done, 10));
}

const pidIn = (text: string) => Number(/pid (\d+)/.exec(text)?.[1]);

test("answers the exit code and what was written, to either output", async () => {
  const ran = run("echo one; echo two >&2; exit 3");
  expect(await ran.exit).toBe(3);
  expect(ran.text().split("\n").sort()).toEqual(["", "one", "two"]);
});

test("is over when the shell is, and ends what that left in the background", async () => {
  const ran = run('sleep 600 & echo "pid $!"');
  expect(await ran.exit).toBe(0);
  await untilGone(pidIn(ran.text()));
});

test("on abort ends what the shell waits for too, not the shell alone", async () => {
  const interrupt = new AbortController();
  const ran = run('sleep 600 & echo "pid $!"; echo ready; wait; true', interrupt.signal);
  await ran.said("ready");
  interrupt.abort(new Error("interrupted"));
  await expect(ran.exit).rejects.toThrow("interrupted");
  await untilGone(pidIn(ran.text()));
});

test("on abort ends a command that will not listen", async () => {
  const interrupt = new AbortController();
  const ran = run('trap "" TERM; echo "pid $$"; echo ready; while :; do sleep 0.1; done', interrupt.signal);
  await ran.said("ready");
  interrupt.abort(new Error("interrupted"));
  await expect(ran.exit).rejects.toThrow("interrupted");
  expect(await isGone(pidIn(ran.text()))).toBe(true);
});
