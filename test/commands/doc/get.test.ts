import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { downloadFile } from "../../../src/aws/s3/download.ts";
import { putObject } from "../../../src/aws/s3/objects.ts";
import { documentBucket as bucket, putDocument, putProfile, sha256 } from "../../support/documents.ts";
import type { Shape } from "../../support/owner-item.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(() => home.remove());

describe.each(["simple", "composite"] as const)("doc get on the %s table", (shape: Shape) => {
  const env = { MAWPS_NEW_TABLE_SHAPE: shape };
  const run = (...argv: string[]) => home.run(["doc", "get", "user-1", ...argv], { env });
  const look = <T>(what: (aws: Aws) => Promise<T>) => home.look(what, env);

  /** Documents doc-1, doc-2, …, each "Nummer n" in bytes, changed as given. */
  async function putDocuments(...changes: Record<string, unknown>[]): Promise<Record<string, unknown>[]> {
    return look(async (aws) => {
      const documents: Record<string, unknown>[] = [];
      for (const [at, change] of changes.entries()) {
        const entry = await putDocument(aws, {
          userId: "user-1",
          id: `doc-${at + 1}`,
          body: `Nummer ${at + 1}`,
        });
        documents.push({ ...entry, ...change });
      }
      await putProfile(aws, "user-1", { documents });
      return documents;
    });
  }

  /** Every file under the home's folder, without the store, and what it holds. */
  async function files(): Promise<Record<string, string>> {
    const found = await readdir(home.folder, { recursive: true, withFileTypes: true });
    const paths = found
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !path.startsWith(join(home.folder, "store")));
    return Object.fromEntries(
      await Promise.all(
        paths.map(
          async (path) => [path.slice(home.folder.length + 1), await readFile(path, "utf8")] as const,
        ),
      ),
    );
  }

  it("fetches all that are ready, compares each with its hash, and tells which", async () => {
    const [first] = await putDocuments(
      {},
      { name: "Größe.txt" },
      { status: "INFECTED" },
      { status: "DELETED" },
    );
    const outcome = await run("--all", "-o", "new/folder", "--json");
    expect([outcome.exitCode, outcome.stderr]).toEqual([0, ""]);
    const [row, ...others] = outcome.stdout.trim().split("\n");
    expect(JSON.parse(row ?? "")).toEqual({
      userId: "user-1",
      ...first,
      path: join(home.folder, "new/folder/doc-1.txt"),
      verified: "sha256",
      outcome: "fetched",
    });
    expect(others).toHaveLength(1);
    const modes = [stat(join(home.folder, "new")), stat(join(home.folder, "new/folder/doc-1.txt"))];
    expect((await Promise.all(modes)).map(({ mode }) => mode & 0o777)).toEqual([0o700, 0o600]);
    expect(await files()).toEqual({ "new/folder/doc-1.txt": "Nummer 1", "new/folder/Größe.txt": "Nummer 2" });
    expect((await run("--all", "-o", "new/folder")).stderr).toContain(
      "2 documents are left out: INFECTED, DELETED",
    );
  });

  it("fetches some by id, or those of a type", async () => {
    await putDocuments({}, { type: "certificate" }, {});
    expect((await run("doc-3", "doc-1", "doc-3", "-o", "ids")).exitCode).toBe(0);
    expect((await run("--type", "certificates", "-o", "type")).exitCode).toBe(0);
    expect(Object.keys(await files()).sort()).toEqual(["ids/doc-1.txt", "ids/doc-3.txt", "type/doc-2.txt"]);
  });

  it("lets no name leave the folder, and gives two of one name files of their own", async () => {
    await putDocuments(
      { name: "../../../escaped.txt" },
      { name: "/tmp/absolute.txt" },
      { name: "..\\windows.txt" },
      { name: "same.txt" },
      { name: "Same.txt" },
      { name: ".." },
    );
    expect((await run("--all", "-o", "out")).exitCode).toBe(0);
    expect(await files()).toEqual({
      "out/___.._.._escaped.txt": "Nummer 1",
      "out/_tmp_absolute.txt": "Nummer 2",
      "out/___windows.txt": "Nummer 3",
      "out/same.txt": "Nummer 4",
      "out/Same (doc-5).txt": "Nummer 5",
      "out/document": "Nummer 6",
    });
  });

  it("keeps files that are there: the same ones count as done, others fail, --overwrite replaces them", async () => {
    await putDocuments({}, {}, { sha256: undefined });
    await mkdir(join(home.folder, "out"));
    await writeFile(join(home.folder, "out/doc-1.txt"), "Nummer 1");
    await writeFile(join(home.folder, "out/doc-2.txt"), "NUMMER 2");
    await writeFile(join(home.folder, "out/doc-3.txt"), "NUMMER 3");
    home.calls.length = 0;
    const kept = await run("--all", "-o", "out");
    expect(kept.exitCode).toBe(3);
    expect(kept.stderr).toContain("2 failures, 1 done");
    expect(kept.stderr).toContain("out/doc-2.txt holds something else");
    expect(kept.stdout).toMatch(/already exists +out\/doc-1\.txt/);
    // The anchor of the audit trail alone.
    expect(home.calls.filter(({ command }) => command === "GetObjectCommand")).toHaveLength(1);
    expect(await files()).toEqual({
      "out/doc-1.txt": "Nummer 1",
      "out/doc-2.txt": "NUMMER 2",
      "out/doc-3.txt": "NUMMER 3",
    });
    expect((await run("--all", "-o", "out", "--overwrite")).exitCode).toBe(0);
    expect(await files()).toEqual({
      "out/doc-1.txt": "Nummer 1",
      "out/doc-2.txt": "Nummer 2",
      "out/doc-3.txt": "Nummer 3",
    });
  });

  it("follows no link that lies where a file should come", async () => {
    await putDocuments({});
    await mkdir(join(home.folder, "out"));
    await writeFile(join(home.folder, "target.txt"), "Nummer 1");
    await symlink("../target.txt", join(home.folder, "out/doc-1.txt"));
    expect((await run("--all", "-o", "out")).exitCode).toBe(1);
    expect((await run("--all", "-o", "out", "--overwrite")).exitCode).toBe(0);
    expect(await files()).toEqual({ "target.txt": "Nummer 1", "out/doc-1.txt": "Nummer 1" });
  });

  it("leaves no file when the bytes are not those of the hash, and fetches the others", async () => {
    await putDocuments({ sha256: sha256(Buffer.from("something else")) }, {});
    const outcome = await run("--all", "-o", "out");
    expect(outcome.exitCode).toBe(3);
    expect(outcome.stderr).toContain("doc-1.txt: public/documents/user-1/cv/");
    expect(outcome.stderr).toContain("the bytes received are not those that S3 holds (sha256)");
    expect(await files()).toEqual({ "out/doc-2.txt": "Nummer 2" });
  });

  it("without a stored hash compares with what S3 knows, and says which", async () => {
    const [first] = await putDocuments({ sha256: undefined }, { sha256: undefined });
    await look(async (aws) => {
      // As the website does it: no checksum asked for, so that S3 adds one of its own.
      const s3 = await aws.s3();
      const Key = String(first?.["s3Key"]);
      await s3.send(
        new PutObjectCommand({ Bucket: bucket, Key, Body: "Nummer 1", ChecksumAlgorithm: "SHA256" }),
      );
    });
    const outcome = await run("--all", "-o", "out", "--json");
    expect(outcome.exitCode).toBe(0);
    const verified = outcome.stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as Record<string, unknown>)["verified"]);
    expect(verified).toEqual(["SHA256", "CRC32"]);
  });

  it("goes on with what a broken-off download left, compares it, too, and starts over when it is damaged", async () => {
    const large = Buffer.alloc(5 * 1024 ** 2, "mawps ");
    const [entry] = await putDocuments({ size: large.byteLength, sha256: sha256(large) });
    const key = String(entry?.["s3Key"]);
    const folder = join(home.folder, "out");
    await mkdir(folder);
    const breakOff = () =>
      look(async (aws) => {
        await putObject(aws, { bucket, key, body: large });
        const stop = new AbortController();
        const path = join(folder, "doc-1.txt");
        const onProgress = () => stop.abort();
        await expect(
          downloadFile(aws, { bucket, key, path, signal: stop.signal, onProgress }),
        ).rejects.toThrow(/abort/i);
        const [part = ""] = await readdir(folder);
        expect(part).toMatch(/^doc-1\.txt\.[0-9a-f]{12}\.part$/);
        return join(folder, part);
      });
    const part = await breakOff();
    const bytes = await readFile(part);
    expect(bytes.equals(large.subarray(0, bytes.byteLength)) && bytes.byteLength > 0).toBe(true);
    await writeFile(part, Buffer.concat([Buffer.from("M"), bytes.subarray(1)]));
    const damaged = await run("--all", "-o", "out");
    expect(damaged.exitCode).toBe(1);
    expect(await readdir(folder)).toEqual([]);
    await breakOff();
    expect((await run("--all", "-o", "out")).exitCode).toBe(0);
    expect(await readdir(folder)).toEqual(["doc-1.txt"]);
    expect(sha256(await readFile(join(folder, "doc-1.txt")))).toBe(sha256(large));
  });

  it("removes the part file that a crash left beside its document, and nobody else's", async () => {
    await putDocuments({});
    expect((await run("--all", "-o", "out")).exitCode).toBe(0);
    const hash = sha256(Buffer.from("Nummer 1"));
    const names = [`doc-1.txt.${hash.slice(0, 12)}.part`, `doc-1.txt.${"0".repeat(12)}.part`, "mine.part"];
    await Promise.all(names.map((name) => writeFile(join(home.folder, "out", name), "Nummer 1")));
    expect((await run("--all", "-o", "out")).exitCode).toBe(0);
    expect(Object.keys(await files()).toSorted()).toEqual([
      "out/doc-1.txt",
      `out/doc-1.txt.${"0".repeat(12)}.part`,
      "out/mine.part",
    ]);
  });

  it.each([
    ["DELETED", { status: "DELETED" }, "is DELETED, not READY"],
    ["INFECTED", { status: "INFECTED" }, "is INFECTED, not READY"],
    [
      "somebody else's file",
      { s3Key: "public/documents/user-2/cv/1-2.pdf" },
      "in none of the folders of user-1",
    ],
    ["without an object", { s3Key: "public/documents/user-1/cv/1-22222222.txt" }, "no object"],
  ])("refuses one by id that is %s, and writes nothing", async (_name, change, why) => {
    await putDocuments(change);
    const outcome = await run("doc-1", "-o", "out");
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, ""]);
    expect(outcome.stderr).toContain(why);
    expect(await files()).toEqual({});
  });

  it("writes nothing in a dry run, not even the folder", async () => {
    await putDocuments({});
    const outcome = await run("--all", "-o", "out", "--dry-run");
    expect(outcome.exitCode).toBe(0);
    expect(outcome.stdout).toContain("would be fetched");
    expect((await readdir(home.folder)).sort()).toEqual(["store"]);
  });

  it.each([[["-o", "out"]], [["doc-1", "--all", "-o", "out"]], [["--all"]]])(
    "refuses %j as wrong usage",
    async (argv) => {
      const outcome = await run(...argv);
      expect([outcome.exitCode, outcome.stdout]).toEqual([2, ""]);
    },
  );
});
