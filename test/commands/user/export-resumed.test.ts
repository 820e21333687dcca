import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, readdir, readFile, rename, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { listVersions } from "../../../src/aws/s3/listing.ts";
import { deleteObject, getObjectBytes } from "../../../src/aws/s3/objects.ts";
import { documentBucket } from "../../support/documents.ts";
import { buildMortal } from "../../support/mortal-process.ts";
import { makeSitePlaces, putEverything } from "../../support/whole-person.ts";
import { makeHome, type TestHome, type WorldOptions } from "../../support/world.ts";

const [person, other] = ["user-1", "user-2"];
const argv = ["user", "export", person, "-o", "out.zip"];
/** Of the versions of all the person's files. */
const total = 11;
/** The interrupted run has so many of them. */
const fetched = 5;

let full: TestHome;
let home: TestHome;

beforeAll(async () => {
  full = await makeHome();
  await full.run(["setup", "--yes"]);
  await full.look(async (aws) => {
    await makeSitePlaces(aws);
    await putEverything(aws, person, "eins@example.com");
    await putEverything(aws, other, "zwei@example.com");
  });
});
afterAll(() => full.remove());

beforeEach(async () => {
  home = await full.copy();
});
afterEach(() => home.remove());

const halves = async () => (await readdir(home.folder)).filter((name) => name.endsWith(".part"));

/** The same command, whose connection breaks once it has so many files. */
async function interrupted(most: number, line: readonly string[] = argv): Promise<string> {
  const before = new Set(await halves());
  let reads = 0;
  home.beforeCall = async (command, input) => {
    if (!isRead(command, input)) return;
    reads += 1;
    if (reads > most) throw new Error("the line is cut");
  };
  const { exitCode, stderr } = await home.run([...line]);
  home.beforeCall = undefined;
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("the same command goes on")]);
  const half = (await halves()).find((name) => !before.has(name));
  return join(home.folder, half ?? "none");
}

/** Runs the command to its end, and how many files it fetched. */
async function finished(line: readonly string[] = argv, options: WorldOptions = {}): Promise<number> {
  let reads = 0;
  home.beforeCall = async (command, input) => {
    if (isRead(command, input)) reads += 1;
  };
  const { exitCode, stderr } = await home.run([...line], options);
  home.beforeCall = undefined;
  expect([exitCode, exitCode === 0 ? "" : stderr]).toEqual([0, ""]);
  return reads;
}

/** Whether a file of somebody is asked for, unlike the trail's anchor. */
function isRead(command: string, input: unknown): boolean {
  return command === "GetObjectCommand" && (input as { Key: string }).Key.includes("/user-");
}

/** Compares the files of an export, as another program finds them, with all versions that the store has. */
async function expectWhole(name = "out.zip", user = person): Promise<void> {
  const program =
    "import zipfile,sys,json,hashlib\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nprint(json.dumps({'sums':{n:hashlib.sha256(z.read(n)).hexdigest() for n in z.namelist()},'parts':json.loads(z.read('manifest.json'))['parts']}))";
  const file = join(home.folder, name);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const { sums, parts } = JSON.parse(execFileSync("python3", ["-c", program, file]).toString()) as {
    sums: Record<string, string>;
    parts: { name: string; sha256: string; from?: { bucket: string; key: string; version: string } }[];
  };
  const { "manifest.json": _manifest, ...named } = sums;
  expect(Object.fromEntries(parts.map((part) => [part.name, part.sha256]))).toEqual(named);
  const files = parts.flatMap(({ from, sha256 }) =>
    from === undefined ? [] : [[`${from.bucket} ${from.key} ${from.version}`, sha256] as const],
  );
  const stored = await home.look(async (aws) => {
    const found: Record<string, string> = {};
    for (const bucket of [documentBucket, "mawps-profile-images"]) {
      for await (const page of listVersions(aws, { bucket })) {
        for (const { key, version, isDeleteMarker } of page) {
          if (isDeleteMarker || !key.includes(`/${user}/`)) continue;
          const { bytes } = await getObjectBytes(aws, { bucket, key, version });
          found[`${bucket} ${key} ${version}`] = createHash("sha256").update(bytes).digest("hex");
        }
      }
    }
    return found;
  });
  expect(Object.fromEntries(files)).toEqual(stored);
}

/** Where the bytes of the so many-th file end in a half file: in front of the sum behind them. */
async function endOfFile(half: string, number: number): Promise<number> {
  const bytes = await readFile(half);
  let at = -1;
  for (let each = 0; each < number; each += 1) at = bytes.indexOf("PK\u0007\u0008", at + 1, "latin1");
  return at;
}

/** Changes the byte there. */
async function overwrite(file: string, at: number): Promise<void> {
  const bytes = await readFile(file);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  await writeFile(file, bytes);
}

/** Deletes that version for good that an export has first. */
async function deleteFirst(aws: Aws): Promise<void> {
  const bucket = documentBucket;
  for await (const page of listVersions(aws, { bucket, prefix: `public/documents/${person}/` })) {
    const [first] = page;
    if (first !== undefined) await deleteObject(aws, { bucket, key: first.key, version: first.version });
  }
}

describe("user export, interrupted", () => {
  it("goes on by the same command with the files that it has, and leaves the whole export alone", async () => {
    const half = await interrupted(fetched);
    expect((await stat(half)).mode & 0o777).toBe(0o600);
    expect(await finished()).toBe(total - fetched);
    expect(await halves()).toEqual([]);
    await expectWhole();
    expect((await home.run(["user", "export", "verify", "out.zip"])).exitCode).toBe(0);
  });

  it("by SIGKILL, goes on with the files that were whole", async () => {
    const mortal = await buildMortal("mortal-calls");
    try {
      await mortal.die(home, `before GetObjectCommand ${fetched + 5}`, argv);
    } finally {
      await mortal.remove();
    }
    expect((await halves()).length).toBe(1);
    expect(await finished()).toBeLessThanOrEqual(total - fetched + 1);
    expect(await halves()).toEqual([]);
    await expectWhole();
  });

  it("leaves alone what another process of this machine is still writing", async () => {
    const half = await interrupted(fetched);
    const others = half.replace(/\.1\.(?=[\da-f-]{36}\.part$)/, ".2.");
    await rename(half, others);
    expect(await finished(argv, { isAlive: (pid) => pid === 2 })).toBe(total);
    expect(await halves()).toEqual([basename(others)]);
    await expectWhole();
    await rename(join(home.folder, "out.zip"), join(home.folder, "first.zip"));
    expect(await finished()).toBe(total - fetched);
    expect(await halves()).toEqual([]);
  });

  it("is interrupted again, and loses nothing", async () => {
    await interrupted(fetched);
    await interrupted(3);
    expect(await finished()).toBe(total - fetched - 3);
    expect(await halves()).toEqual([]);
    await expectWhole();
  });

  it("goes on in the middle of a file, which is compared with what the store knows of it", async () => {
    const half = await interrupted(fetched);
    const end = await endOfFile(half, fetched);
    await truncate(half, end - 1);
    home.calls.length = 0;
    // Of one file all but the last byte is there.
    expect(await finished()).toBe(total - fetched + 1);
    expect(home.calls.filter(({ command }) => command === "HeadObjectCommand").length).toBe(1);
    await expectWhole();
  });

  it("fetches a file whole that is there in part, from a server that knows no ranges", async () => {
    const half = await interrupted(fetched);
    await truncate(half, (await endOfFile(half, fetched)) - 1);
    home.beforeCall = async (_command, input) => {
      delete (input as { Range?: string }).Range;
    };
    expect((await home.run(argv)).exitCode).toBe(0);
    home.beforeCall = undefined;
    await expectWhole();
  });

  it("removes the beginning of a file that turns out to be wrong, and begins that anew", async () => {
    const half = await interrupted(fetched);
    const end = await endOfFile(half, fetched);
    await truncate(half, end - 1);
    await overwrite(half, end - 2);
    const { exitCode, stderr } = await home.run(argv);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("What was kept is removed")]);
    expect(await finished()).toBe(total - fetched + 1);
    expect(await halves()).toEqual([]);
    await expectWhole();
  });

  it.each([
    {
      what: "a file whose bytes were changed",
      spoil: async (half: string) => overwrite(half, (await endOfFile(half, 1)) - 1),
      again: 1,
    },
    {
      what: "a file that the store does not have any more",
      spoil: () => home.look((aws) => deleteFirst(aws)),
      again: 0,
    },
    {
      what: "what others may write",
      spoil: (half: string) => chmod(half, 0o620),
      again: fetched,
      isLeft: true,
    },
    {
      what: "a link",
      spoil: async (half: string) => {
        await rename(half, join(home.folder, "elsewhere"));
        await symlink("elsewhere", half);
      },
      again: fetched,
      isLeft: true,
    },
    { what: "another program's file", spoil: (half: string) => writeFile(half, "text"), again: fetched },
  ])("takes nothing from $what", async ({ spoil, again, isLeft = false }) => {
    const half = await interrupted(fetched);
    await spoil(half);
    expect(await finished()).toBe(total - fetched + again);
    expect(await halves()).toEqual(isLeft ? [basename(half)] : []);
    await expectWhole();
  });

  it("goes on by whichever time it was named, and leaves another person's alone", async () => {
    const line = (user: string) => ["user", "export", user];
    const theirs = await interrupted(fetched, line(other));
    const before = await interrupted(fetched, line(person));
    expect(await finished(line(person))).toBe(total - fetched);
    expect(await halves()).toEqual([basename(theirs)]);
    const name = (await readdir(home.folder)).find((each) => each.endsWith(".zip")) ?? "none";
    expect(before).not.toContain(name);
    await expectWhole(name);
    expect(await finished(line(other))).toBe(total - fetched);
    expect(await halves()).toEqual([]);
  });

  it("is begun anew where it is encrypted, and leaves nothing half", async () => {
    const recipient = await identityToRecipient(await generateX25519Identity());
    const line = ["user", "export", person, "-o", "out.age", "--encrypt-to", recipient];
    home.beforeCall = async (command, input) => {
      if (isRead(command, input)) throw new Error("the line is cut");
    };
    expect((await home.run(line)).exitCode).toBe(1);
    home.beforeCall = undefined;
    expect(await halves()).toEqual([]);
    expect(await finished(line)).toBe(total);
  });

  it("removes what an encrypted run has left, and not what one is still writing", async () => {
    const recipient = await identityToRecipient(await generateX25519Identity());
    const id = "00000000-0000-4000-8000-000000000000";
    const [left, writing] = [2, 3].map((pid) => `out.age.${pid}.${id}.part`);
    for (const name of [left, writing]) await writeFile(join(home.folder, name ?? ""), "half");
    const line = ["user", "export", person, "-o", "out.age", "--encrypt-to", recipient];
    expect(await finished(line, { isAlive: (pid) => pid === 3 })).toBe(total);
    expect(await halves()).toEqual([writing]);
  });
});
