import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { documentKeys, putProfile, readEntries } from "../support/documents.ts";
import { buildMortal, type Mortal } from "../support/mortal-process.ts";
import { afterRealClockMs, makeHome, type TestHome } from "../support/world.ts";

let mortal: Mortal;

beforeAll(async () => {
  mortal = await buildMortal("mortal-calls");
});

afterAll(() => mortal.remove());

const argv = ["doc", "upload", "user-1", "one.txt", "two.txt", "--type", "cv"];

/** A home with a user and two files, the second one large enough for several parts. */
async function prepared(): Promise<TestHome> {
  const home = await makeHome();
  home.laterMs = afterRealClockMs();
  await writeFile(join(home.folder, "one.txt"), "eins\n");
  await writeFile(join(home.folder, "two.txt"), Buffer.alloc(9 * 1024 * 1024, "zwei\n"));
  await home.look((aws) =>
    putProfile(aws, "user-1", { documents: [{ id: "doc-0", name: "von der Website.pdf" }] }),
  );
  return home;
}

/** Both documents are there once, ready, with their objects; the website's is as it was; the trail holds. */
async function assertWhole(home: TestHome): Promise<void> {
  const entries = await home.look((aws) => readEntries(aws, "user-1", "simple"));
  const shown = entries.map(({ name, status }) => [name, status ?? "-"].join(" "));
  expect(new Set(shown)).toEqual(new Set(["von der Website.pdf -", "one.txt READY", "two.txt READY"]));
  expect(entries).toHaveLength(3);
  const own = entries.filter(({ id }) => id !== "doc-0").map(({ s3Key }) => s3Key);
  expect(new Set(await home.look(documentKeys))).toEqual(new Set(own));
  expect((await home.run(["audit", "verify"])).exitCode).toBe(0);
}

test("a run that nothing kills writes entries before the bytes, the trail before they are ready", async () => {
  const home = await prepared();
  const steps = await mortal.die(home, 0, argv);
  const before = steps.filter((step) => !step.startsWith("after")).map((step) => step.replace("before ", ""));
  const first = (name: string) => before.indexOf(name);
  expect(before.at(-1)).toBe("acknowledged");
  expect(first("UpdateItemCommand")).toBeLessThan(first("CreateMultipartUploadCommand"));
  expect(first("CompleteMultipartUploadCommand")).toBeLessThan(first("TransactWriteItemsCommand"));
  expect(first("TransactWriteItemsCommand")).toBeLessThan(before.lastIndexOf("UpdateItemCommand"));
  expect(before.filter((name) => name === "UpdateItemCommand")).toHaveLength(2);
  await assertWhole(home);
  await home.remove();
});

test("killed at any step, the same command again brings both documents there, once each", async () => {
  let died = 0;
  // Every other step: what is so after one call is so before the next.
  for (let fatal = 1; ; fatal += 2) {
    const home = await prepared();
    const steps = await mortal.die(home, fatal, argv);
    if (steps.at(-1) === "acknowledged") {
      await home.remove();
      break;
    }
    died += 1;
    const again = await home.run(argv);
    expect({ killed: steps.at(-1), exitCode: again.exitCode }).toEqual({ killed: steps.at(-1), exitCode: 0 });
    await assertWhole(home);
    await home.remove();
  }
  expect(died).toBeGreaterThan(6);
});

test("killed at any step, a repair leaves no half-done upload and loses nothing that had arrived", async () => {
  for (let fatal = 2; ; fatal += 3) {
    const home = await prepared();
    const steps = await mortal.die(home, fatal, argv);
    if (steps.at(-1) === "acknowledged") {
      await home.remove();
      break;
    }
    await home.run(["doc", "check", "--repair", "--yes"]);
    const entries = await home.look((aws) => readEntries(aws, "user-1", "simple"));
    const own = entries.filter(({ id }) => id !== "doc-0");
    expect(own.filter(({ status }) => status !== "READY")).toEqual([]);
    const keys = await home.look(documentKeys);
    expect(new Set(own.map(({ s3Key }) => s3Key))).toEqual(new Set(keys));
    await home.remove();
  }
});
