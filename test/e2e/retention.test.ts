import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { putObject } from "../../src/aws/s3/objects.ts";
import { dayMs, lines, storedIn } from "../retention/stored.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";
import { run } from "./programs.ts";

const binary = join(import.meta.dirname, "../../bin/mawps.js");
const users = 6;
const perUser = 100;

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
  // The binary's clock is the real one: what it finds is 40 days old.
  home.laterMs = Date.now() - 40 * dayMs - testStart.getTime();
});

afterEach(() => home.remove());

const keyOf = (user: number, id: string) => `public/documents/user-${user}/cv/1700000000000-${id}.pdf`;

/** Documents of all users: each deleted but one. */
async function fill(): Promise<void> {
  const stored = storedIn(home, "simple");
  const deletedAt = new Date(testStart.getTime() + home.laterMs).toISOString();
  for (let user = 0; user < users; user++) {
    const gone = Array.from({ length: perUser }, (_, n) => {
      const id = `gone-${n}`;
      return { id, s3Key: keyOf(user, id), status: "DELETED", deletedAt };
    });
    await stored.putProfile(`user-${user}`, [...gone, { id: "kept", s3Key: keyOf(user, "kept") }]);
    await stored.look(async (aws, config) => {
      for (const { s3Key } of [...gone, { s3Key: keyOf(user, "kept") }]) {
        await putObject(aws, { bucket: config.buckets.userFiles, key: s3Key, body: Buffer.from("bytes") });
      }
    });
  }
}

/** Runs the binary and kills it outright after a time; whether it came to its end before. */
async function runAndKill(argv: readonly string[], afterMs: number): Promise<boolean> {
  const env = { PATH: process.env["PATH"] ?? "", MAWPS_HOME: join(home.folder, "store") };
  const child = spawn(process.execPath, [binary, ...argv], { cwd: home.folder, env, stdio: "ignore" });
  const ended = new Promise<boolean>((resolve) => void child.once("exit", (code) => resolve(code === 0)));
  const killed = new AbortController();
  const killing = sleep(afterMs, undefined, { signal: killed.signal }).then(
    () => child.kill("SIGKILL"),
    () => false,
  );
  const isDone = await ended;
  killed.abort();
  await killing;
  return isDone;
}

it("finishes after any number of kill -9, never leaving an object without its entry", async () => {
  await fill();
  const stored = storedIn(home, "simple");
  const argv = ["retention", "run", "--yes", "--max-delete", "5000"];
  const counts: number[] = [];
  let kills = 0;
  for (let afterMs = 200; !(await runAndKill(argv, afterMs)); afterMs *= 1.25) {
    kills += 1;
    const objects = new Set(await stored.left());
    const named = new Set<string>();
    for (let user = 0; user < users; user++) {
      const { documents } = (await stored.profile(`user-${user}`)) as { documents: { s3Key: string }[] };
      for (const { s3Key } of documents) named.add(s3Key);
    }
    counts.push(objects.size);
    for (const key of objects) expect(named).toContain(key);
  }
  expect(kills).toBeGreaterThan(0);
  expect(counts).toEqual(counts.toSorted((one, other) => other - one));
  expect(await stored.left()).toEqual(Array.from({ length: users }, (_, user) => keyOf(user, "kept")));
  for (let user = 0; user < users; user++) {
    expect(await stored.profile(`user-${user}`)).toMatchObject({
      name: "Änne",
      documents: [{ id: "kept", s3Key: keyOf(user, "kept") }],
    });
  }
  const env = { PATH: process.env["PATH"] ?? "", MAWPS_HOME: join(home.folder, "store") };
  const options = { env, cwd: home.folder };
  expect((await run(process.execPath, [binary, "audit", "verify"], options)).code).toBe(0);
  const plan = await run(process.execPath, [binary, "retention", "plan", "--json", "--exit-code"], options);
  expect({ code: plan.code, lines: lines(plan.stdout) }).toEqual({ code: 0, lines: [] });
});
