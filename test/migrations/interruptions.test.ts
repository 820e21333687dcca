import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { Aws } from "../../src/aws/clients.ts";
import type { Item } from "../../src/aws/dynamodb/items.ts";
import { profileTable } from "../support/documents.ts";
import { asBeforeThisTool } from "../support/old-store.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";
import { buildMortal, type Mortal } from "../support/mortal-process.ts";
import { everything, putObjectOf, storeOf, versions, websiteEntry } from "./stored.ts";

let mortal: Mortal;

beforeAll(async () => {
  mortal = await buildMortal("mortal-calls");
  // What the processes that die are told; they know no home.
  vi.stubEnv("MAWPS_NEW_TABLE_SHAPE", "composite");
  vi.stubEnv("MAWPS_YES", "true");
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await mortal.remove();
});

let home: TestHome | undefined;

afterEach(async () => {
  await home?.remove();
  home = undefined;
});

/** Two people, of whom each migration but the one without use here has something to do. */
async function putSome(aws: Aws): Promise<void> {
  const s = (S: string) => ({ S });
  const old = "users/user-1/documents/cv/1734384121711-Lebenslauf.pdf";
  const other = "public/documents/user-2/certificate/1734384121712-b.pdf";
  await putObjectOf(aws, old, "%PDF-1 eins", "application/pdf");
  await putObjectOf(aws, other, "%PDF-1 zwei", "application/pdf");
  const items: Item[] = [
    { userId: s("user-1"), type: s("user-profile"), note: s("bleibt") },
    { userId: s("user-1"), type: s("document"), documents: { L: [websiteEntry("doc-1", old)] } },
    { userId: s("user-2"), type: s("user-profile"), documents: { L: [websiteEntry("doc-2", other)] } },
  ];
  const dynamodb = await aws.dynamodb();
  for (const Item of items) await dynamodb.send(new PutItemCommand({ TableName: profileTable, Item }));
}

/** A home with a store to begin with, and what is in it. */
async function prepared(before: (store: Store) => Promise<unknown>) {
  home = await makeHome();
  const store = storeOf(home, "composite");
  await store.look(putSome);
  await store.look(asBeforeThisTool);
  const stored = await store.look(everything);
  const oldVersions = await store.look(versions);
  await before(store);
  return { home, store, stored, oldVersions };
}

type Store = ReturnType<typeof storeOf>;

/** Another home with the same store. */
async function copyOf(from: TestHome) {
  const copy = await makeHome();
  await cp(join(from.folder, "store"), join(copy.folder, "store"), { recursive: true });
  return { copy, store: storeOf(copy, "composite") };
}

/** As the process that died had the lock by the system's clock. */
function later(of: TestHome): void {
  of.laterMs = Date.now() - testStart.getTime() + 120_000;
}

/** Without versions: a run that dies may have copied an object twice. */
function comparable({ items, objects }: Awaited<ReturnType<typeof everything>>) {
  const kept = Object.entries(objects).map(([key, value]) => [
    key,
    { ...(value as object), version: undefined },
  ]);
  return { items, objects: Object.fromEntries(kept) as object };
}

const up = ["migrate", "up", "--batch", "1"];

test("killed at any step of up, the same command ends as if nothing had happened, and down still gives all back", async () => {
  const { home, stored, oldVersions } = await prepared(async () => undefined);
  const undisturbed = await copyOf(home);
  await undisturbed.store.json(...up);
  const end = comparable(await undisturbed.store.look(everything));
  await undisturbed.copy.remove();
  async function endsWell(fatal: number | string): Promise<string> {
    const { copy, store } = await copyOf(home);
    const killed = (await mortal.die(copy, fatal, up)).at(-1) ?? "";
    later(copy);
    await store.json(...up);
    expect({ fatal, killed, ...comparable(await store.look(everything)) }).toEqual({ fatal, killed, ...end });
    await store.json("migrate", "down", "--to", "none");
    expect({ fatal, killed, ...(await store.look(everything)) }).toEqual({ fatal, killed, ...stored });
    expect({ fatal, versions: await store.look(versions) }).toEqual({ fatal, versions: oldVersions });
    await copy.remove();
    return killed;
  }
  const seen: string[] = [];
  // What is so after one call is so before the next; an odd stride takes turns between the two.
  for (let fatal = 1; seen.at(-1) !== "acknowledged"; fatal += 7) seen.push(await endsWell(fatal));
  expect(seen.length).toBeGreaterThan(8);
  // The rare ones may lie between: how many anchors the trail writes goes by the real clock.
  for (const call of ["TransactWriteItemsCommand", "UpdateItemCommand", "DeleteObjectCommand"]) {
    expect(await endsWell(`after ${call}`)).toBe(`after ${call}`);
  }
}, 600_000);

test("killed at any step of down, the same command brings back exactly what was there", async () => {
  const { home, stored, oldVersions } = await prepared((store) => store.json(...up));
  const seen: string[] = [];
  const down = ["migrate", "down", "--to", "none"];
  for (let fatal = 1; seen.at(-1) !== "acknowledged"; fatal += 7) {
    const { copy, store } = await copyOf(home);
    const killed = (await mortal.die(copy, fatal, down)).at(-1) ?? "";
    seen.push(killed);
    later(copy);
    // From a process that died behind the last of them on, there is nothing left to do.
    await store.json(...down);
    expect({ fatal, killed, ...(await store.look(everything)) }).toEqual({ fatal, killed, ...stored });
    expect({ fatal, versions: await store.look(versions) }).toEqual({ fatal, versions: oldVersions });
    await copy.remove();
  }
  expect(seen.length).toBeGreaterThan(4);
}, 600_000);
