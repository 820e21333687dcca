import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UploadPartCommand } from "@aws-sdk/client-s3";
import { beginUpload } from "../../../src/aws/s3/multipart.ts";
import { deleteObject, putObject } from "../../../src/aws/s3/objects.ts";
import { documentBucket, putProfile } from "../../support/documents.ts";
import { putAccounts } from "../../support/accounts.ts";
import { modelSite } from "../../support/model-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";
import { localPoolId } from "@mawps/local-aws/src/service.ts";

interface Row {
  readonly bucket?: string;
  readonly group: string | null;
  readonly bytes: number;
  readonly objects: { readonly count: number; readonly bytes: number };
  readonly noncurrent: { readonly count: number; readonly bytes: number };
  readonly markers: { readonly count: number; readonly bytes: number };
  readonly unfinished: { readonly count: number; readonly bytes: number };
}

interface Told {
  readonly files: Omit<Row, "group" | "bytes">;
  readonly groups: readonly Row[];
  readonly tables: readonly {
    readonly table: string;
    readonly items: number;
    readonly bytes: number;
    readonly entities: readonly string[];
    readonly indexes: readonly { readonly name: string; readonly items: number }[];
  }[];
  readonly databases?: readonly {
    readonly tables: readonly {
      readonly name: string;
      readonly indexBytes: number;
    }[];
  }[];
  readonly accounts?: number;
  readonly failures: readonly object[];
  readonly missing: readonly string[];
  readonly before?: object;
}

let home: TestHome;
const publicBucket = "manuel-weiss-public-media";

beforeAll(async () => {
  home = await makeHome();
  await home.look(async (aws, config) => {
    const put = (key: string, bytes: number, bucket = documentBucket) =>
      putObject(aws, { bucket, key, body: Buffer.alloc(bytes, "x") });
    await put("public/documents/user-1/cv/1.pdf", 100);
    await put("public/documents/user-1/cv/1.pdf", 150);
    await put("public/documents/user-2/cv/2.PDF", 30);
    await put("public/documents/user-2/cv/gone.txt", 7);
    await deleteObject(aws, { bucket: documentBucket, key: "public/documents/user-2/cv/gone.txt" });
    await put("public/profile-images/user-1/1.jpg", 11);
    await put("invoices/1.pdf", 5);
    await put("public/profile-images/owner/1.jpg", 20, publicBucket);
    const upload = { Bucket: documentBucket, Key: "public/documents/user-1/cv/big.pdf" };
    const { uploadId: UploadId } = await beginUpload(aws, { bucket: upload.Bucket, key: upload.Key });
    for (const [PartNumber, bytes] of [
      [1, 40],
      [2, 2],
    ] as const)
      await (
        await aws.s3()
      ).send(new UploadPartCommand({ ...upload, UploadId, PartNumber, Body: Buffer.alloc(bytes) }));
    await putProfile(aws, "user-1");
    await putAccounts(aws, localPoolId(config.region));
  });
});
afterAll(() => home.remove());

const none = { count: 0, bytes: 0 };

async function told(...more: readonly string[]): Promise<Told> {
  const { exitCode, stdout, stderr } = await home.run(["storage", "usage", "--json", "--no-record", ...more]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout) as Told;
}

describe("mawps storage usage", () => {
  it("tells every byte by its kind: old versions, delete markers, unfinished uploads by part", async () => {
    const { files, groups, tables, accounts } = await told();
    const ours = groups.filter(({ group }) => group !== "auditAnchors");
    expect(ours).toEqual([
      {
        group: "documentFiles",
        bucket: documentBucket,
        objects: { count: 2, bytes: 180 },
        noncurrent: { count: 2, bytes: 107 },
        markers: { count: 1, bytes: 0 },
        unfinished: { count: 1, bytes: 42 },
        bytes: 329,
      },
      {
        group: "heroFiles",
        bucket: publicBucket,
        objects: { count: 1, bytes: 20 },
        noncurrent: none,
        markers: none,
        unfinished: none,
        bytes: 20,
      },
      {
        group: "avatarFiles",
        bucket: documentBucket,
        objects: { count: 1, bytes: 11 },
        noncurrent: none,
        markers: none,
        unfinished: none,
        bytes: 11,
      },
      {
        group: null,
        bucket: documentBucket,
        objects: { count: 1, bytes: 5 },
        noncurrent: none,
        markers: none,
        unfinished: none,
        bytes: 5,
      },
    ]);
    const sum = groups.reduce((all, { objects }) => all + objects.bytes, 0);
    expect([files.objects.bytes, files.noncurrent, files.unfinished]).toEqual([
      sum,
      { count: 2, bytes: 107 },
      { count: 1, bytes: 42 },
    ]);
    const profiles = tables.find(({ table }) => table === "mawps-user-profiles");
    expect(profiles?.items).toBe(1);
    // userId, user-1, type, user-profile: DynamoDB counts names and values.
    expect(profiles?.bytes).toBe(6 + 6 + 4 + 12);
    expect(profiles?.entities).toEqual([
      "profiles",
      "heroImages",
      "siteSettings",
      "accessRecords",
      "olderRecords",
    ]);
    const trail = tables.find(({ table }) => table === "mawps-audit-log");
    expect(trail?.indexes.map(({ name }) => name)).toContain("UserId-Timestamp-Index");
    expect(accounts).toBe(4);
  });

  it("sums up by person, type, class and age, nobody's apart", async () => {
    const bytesBy = async (by: string, ...more: readonly string[]) =>
      Object.fromEntries(
        (await told("--by", by, ...more)).groups.map(({ group, bytes }) => [String(group), bytes]),
      );
    const byUser = await bytesBy("user");
    expect(byUser).toMatchObject({ "user-1": 303, "user-2": 37, owner: 20 });
    expect(await bytesBy("type")).toMatchObject({ pdf: 100 + 150 + 30 + 42 + 5, txt: 7, jpg: 31 });
    expect(Object.keys(await bytesBy("class"))).toEqual(["STANDARD", "null"]);
    expect(Object.keys(await bytesBy("age"))).toEqual(["up to 1 day"]);
    expect(await bytesBy("type", "--top", "1")).toEqual({ pdf: 327, "2 others": 38 });
  });

  it("of one person has theirs alone, and no tables", async () => {
    const { files, groups, tables, accounts } = await told("--user", "user-1");
    expect(groups.map(({ group, bytes }) => [group, bytes])).toEqual([
      ["documentFiles", 292],
      ["avatarFiles", 11],
    ]);
    expect(files.unfinished).toEqual({ count: 1, bytes: 42 });
    expect({ tables, accounts }).toEqual({ tables: [], accounts: undefined });
  });

  it("shows people sums, bars and tables", async () => {
    const { stdout } = await home.run(["storage", "usage", "--no-record"]);
    expect(stdout).toContain("old versions        2 versions, 107 B");
    expect(stdout).toContain("unfinished uploads  1 upload, 42 B");
    expect(stdout).toMatch(
      /^documentFiles +mawps-user-files-1760106396 +2, 180 B +2, 107 B +1 +1, 42 B +329 B +█+$/m,
    );
    expect(stdout).toMatch(/^undeclared +mawps-user-files-1760106396 +1, 5 B +5 B +./m);
    expect(stdout).toMatch(/^mawps-user-profiles +1 +28 B +profiles, heroImages/m);
    const { stdout: csv } = await home.run(["storage", "usage", "--csv", "--no-record"]);
    expect(csv).toContain(`entity,${documentBucket},documentFiles,2,180,2,107,1,0,1,42\r\n`);
    expect(csv).toContain("table,mawps-user-profiles,,1,28,,,,,,\r\n");
    const both = await home.run(["storage", "usage", "--csv", "--json"]);
    expect(both.exitCode).toBe(2);
  });

  it("compares with the last day that it was asked, of which it keeps sums alone", async () => {
    const other = await home.copy();
    const file = join(other.folder, ".local", "state", "mawps", "usage");
    await other.run(["storage", "usage", "--dry-run"]);
    await expect(readFile(file, "utf8")).rejects.toThrow("ENOENT");
    await other.run(["storage", "usage"]);
    await other.run(["storage", "usage", "--by", "type"]);
    other.laterMs += 2 * 86_400_000;
    await other.look((aws) =>
      putObject(aws, { bucket: documentBucket, key: "public/songs/1.mp3", body: Buffer.alloc(1500) }),
    );
    const { stdout } = await other.run(["storage", "usage"]);
    expect(stdout).toContain("since               2026-03-01: +1 object, +1.5 KB of files\n");
    const again = await other.run(["storage", "usage", "--json", "--user", "user-1"]);
    expect(JSON.parse(again.stdout)).not.toHaveProperty("before");
    const days = (await readFile(file, "utf8"))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    await other.remove();
    expect(days.map(({ day }) => day)).toEqual(["2026-03-01", "2026-03-03"]);
    expect(Object.keys(days[0] ?? {})).toEqual([
      "site",
      "day",
      "objects",
      "objectBytes",
      "noncurrentBytes",
      "unfinishedBytes",
      "tableBytes",
      "accounts",
    ]);
  });

  it("knows a person of another model by their address", async () => {
    const other = await makeHome();
    const site = modelSite(other, "prework");
    await site.put("prework-users", [
      { id: "u-1", email: "Max@example.com" },
      { id: "u-12", email: "eva@example.com" },
    ]);
    const keys = ["u-1", "u-12"].map((user) => `users/${user}/exports/checklist-2026.pdf`);
    await site.putFiles("prework-media-bucket", keys);
    const told = await site.run("storage", "usage", "--user", "max@example.com", "--json");
    const nobody = await site.run("storage", "usage", "--user", "nobody@example.com", "--json");
    await other.remove();
    expect([told.exitCode, JSON.parse(told.stdout)]).toMatchObject([
      0,
      { user: "u-1", files: { objects: { count: 1 } } },
    ]);
    expect(nobody.exitCode).toBe(1);
  });

  it("measures the embedded database of another model", async () => {
    const env = { MAWPS_HOME: join(home.folder, "embedded") };
    const { exitCode, stdout } = await home.run(["storage", "usage", "--model", "fc024", "--json"], { env });
    expect(exitCode).toBe(0);
    const { databases, failures } = JSON.parse(stdout) as Told;
    expect(failures).toEqual([]);
    const users = databases?.[0]?.tables.find(({ name }) => name === "users");
    expect(users).toMatchObject({ entities: ["staff"] });
    expect(users?.indexBytes).toBeGreaterThan(0);
  });

  it("works from any model, and names a database whose server nobody names", async () => {
    const { exitCode, stdout, stderr } = await home.run(["storage", "usage", "--model", "lopez"], {
      env: { MAWPS_HOME: join(home.folder, "another") },
    });
    expect(exitCode).toBe(3);
    expect(stdout).toContain("no files");
    expect(stderr).toContain("database lopez_it_welt: no server is named");
    expect(stderr).toContain("MAWPS_DATABASE_URL");
  });
});
