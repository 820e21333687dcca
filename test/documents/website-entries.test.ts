import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  CreateTableCommand,
  GetItemCommand,
  PutItemCommand,
  type AttributeValue,
} from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import { typed } from "../../src/aws/dynamodb/plain.ts";
import { getObjectBytes, headObject, putObject } from "../../src/aws/s3/objects.ts";
import { documentBucket, putProfile, readItem } from "../support/documents.ts";
import { asBeforeThisTool } from "../support/old-store.ts";
import { makeHome, type TestHome } from "../support/world.ts";

const userId = "user-1";
const apiTable = "mawps-user-documents";
const uploadsBucket = "mawps-profile-images";
const apiKey = `users/${userId}/documents/cv/1750000000000-Lebenslauf.pdf`;
const todayKey = `document/${userId}/1760000000000-Zeugnis.pdf`;
const pdf = Buffer.from("%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n");

const apiItem = {
  userId,
  documentId: "5f0c7f3e-0000-4000-8000-000000000001",
  fileName: "Lebenslauf.pdf",
  fileType: "application/pdf",
  fileSize: pdf.byteLength,
  documentType: "cv",
  s3Key: apiKey,
  uploadedAt: "2026-01-10T08:00:00.000Z",
  lastModified: "2026-01-10T08:00:00.000Z",
  metadata: {},
};

const today = {
  id: "1760000000000",
  name: "Zeugnis.pdf",
  size: pdf.byteLength,
  fileType: "application/pdf",
  category: "certificates",
  createdAt: "2026-01-20T08:00:00.000Z",
  url: `https://${uploadsBucket}.s3.eu-central-1.amazonaws.com/${todayKey}?X-Amz-Signature=secret`,
  storage: "s3",
  s3Key: todayKey,
};

const inline = {
  id: "1760000000001",
  name: "Notiz.pdf",
  fileType: "application/pdf",
  category: "cv",
  createdAt: "2026-01-21T08:00:00.000Z",
  url: `data:application/pdf;base64,${pdf.toString("base64")}`,
  storage: "inline",
};

let home: TestHome;

/** What the website has: an entry of documents-api, one of its uploads of today, and one that holds its file itself. */
async function makeSite(aws: Aws): Promise<void> {
  await asBeforeThisTool(aws);
  const dynamodb = await aws.dynamodb();
  await dynamodb.send(
    new CreateTableCommand({
      TableName: apiTable,
      KeySchema: [
        { AttributeName: "userId", KeyType: "HASH" },
        { AttributeName: "documentId", KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "userId", AttributeType: "S" },
        { AttributeName: "documentId", AttributeType: "S" },
      ],
      BillingMode: "PAY_PER_REQUEST",
    }),
  );
  await dynamodb.send(new PutItemCommand({ TableName: apiTable, Item: typed(apiItem).M }));
  await (await aws.s3()).send(new CreateBucketCommand({ Bucket: uploadsBucket }));
  await putObject(aws, {
    bucket: documentBucket,
    key: apiKey,
    body: pdf,
    contentType: "application/pdf",
    metadata: { userid: userId, documentid: apiItem.documentId, documenttype: "cv" },
  });
  await putObject(aws, { bucket: uploadsBucket, key: todayKey, body: pdf, contentType: "application/pdf" });
  await putProfile(aws, userId, { email: "max@example.com", documents: [today, inline] });
}

async function apiStored(aws: Aws): Promise<Record<string, AttributeValue> | undefined> {
  const Key = { userId: { S: userId }, documentId: { S: apiItem.documentId } };
  return (await (await aws.dynamodb()).send(new GetItemCommand({ TableName: apiTable, Key }))).Item;
}

/** All that the commands here must not change. */
function state() {
  return home.look(async (aws) => ({
    profile: await readItem(aws, userId, "simple"),
    api: await apiStored(aws),
    object: (await getObjectBytes(aws, { bucket: documentBucket, key: apiKey })).bytes.toString(),
    upload: (await getObjectBytes(aws, { bucket: uploadsBucket, key: todayKey })).bytes.toString(),
  }));
}

beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

describe("documents that the website wrote", () => {
  beforeEach(() => home.look(makeSite));

  const jsonLines = (text: string): Record<string, unknown>[] =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it.each([[[userId]], [["--all"]]])("are listed by %j with their names, kinds and times", async (whose) => {
    const { exitCode, stdout } = await home.run(["doc", "list", ...whose, "--json"]);
    expect(exitCode).toBe(0);
    const rows = jsonLines(stdout);
    expect(
      rows.map(({ id, name, type, size, uploadedAt, contentType }) => [
        id,
        name,
        type,
        size,
        uploadedAt,
        contentType,
      ]),
    ).toEqual([
      [inline.id, "Notiz.pdf", "cv", pdf.byteLength, inline.createdAt, "application/pdf"],
      [today.id, "Zeugnis.pdf", "certificates", pdf.byteLength, today.createdAt, "application/pdf"],
      [apiItem.documentId, "Lebenslauf.pdf", "cv", pdf.byteLength, apiItem.uploadedAt, "application/pdf"],
    ]);
  });

  it("are shown without the file that an entry holds, and without what opens an object", async () => {
    for (const { id } of [today, inline]) {
      for (const json of [[], ["--json"]]) {
        const { exitCode, stdout } = await home.run(["doc", "show", userId, id, ...json]);
        expect(exitCode).toBe(0);
        expect(stdout).not.toContain("X-Amz-Signature");
        expect(stdout).not.toContain(pdf.toString("base64"));
      }
    }
  });

  it("are fetched from where they lie, for their owner alone", async () => {
    const before = await state();
    const { exitCode, stdout } = await home.run(["doc", "get", userId, "--all", "-o", "out", "--json"]);
    expect(exitCode).toBe(0);
    expect(jsonLines(stdout)).toHaveLength(3);
    for (const name of ["Lebenslauf.pdf", "Zeugnis.pdf", "Notiz.pdf"]) {
      const file = join(home.folder, "out", name);
      expect(await readFile(file)).toEqual(pdf);
      expect(((await stat(file)).mode & 0o777).toString(8)).toBe("600");
    }
    expect(((await stat(join(home.folder, "out"))).mode & 0o777).toString(8)).toBe("700");
    const again = await home.run(["doc", "get", userId, "--all", "-o", "out", "--json"]);
    expect(jsonLines(again.stdout).map(({ outcome }) => outcome)).toEqual(Array(3).fill("already exists"));
    expect(await state()).toEqual(before);
  });

  it("get links to where they lie; one that stands in its entry gets none", async () => {
    const link = (id: string) => home.run(["doc", "url", userId, id, "--allow-unscanned", "--json"]);
    expect((await link(apiItem.documentId)).stdout).toContain(`/${documentBucket}/${apiKey}`);
    expect((await link(today.id)).stdout).toContain(`/${uploadsBucket}/${todayKey}`);
    const none = await link(inline.id);
    expect(none.exitCode).toBe(1);
    expect(none.stderr).toContain("stands in its entry");
    const alive = await home.run(["doc", "url", "--list", "--json"]);
    expect(jsonLines(alive.stdout).map(({ id }) => id)).toEqual([today.id, apiItem.documentId]);
  });

  it.each([
    ["documents-api has it", apiItem.documentId, "answer 404"],
    ["the website opens it by its address", today.id, "its button there"],
    ["it stands in its entry", inline.id, "no link leads to it"],
  ])("are not moved by revoke: %s", async (_why, id, told) => {
    const before = await state();
    const { exitCode, stderr } = await home.run(["doc", "revoke", userId, id]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(told);
    expect(await state()).toEqual(before);
  });

  it("are nothing that check finds or repairs", async () => {
    const before = await state();
    for (const whose of [[], [userId]]) {
      const { exitCode, stdout } = await home.run(["doc", "check", ...whose, "--repair", "--yes", "--json"]);
      expect([exitCode, stdout]).toEqual([0, ""]);
    }
    expect(await state()).toEqual(before);
  });

  it("stay where they are in migrations and retention, also when the profile names the same object", async () => {
    const second = { id: "doc-2", name: "Lebenslauf.pdf", type: "cv", s3Key: apiKey };
    const deleted = { status: "DELETED", deletedAt: "2025-01-01T00:00:00.000Z" };
    await home.look((aws) => putProfile(aws, userId, { documents: [second] }));
    const migrated = await home.run(["migrate", "up", "--yes"]);
    expect(migrated.stdout + migrated.stderr).toContain(
      "the website of today reads and writes these in its own shapes",
    );
    await home.look(async (aws) => {
      await putProfile(aws, userId, { documents: [{ ...second, ...deleted }] });
    });
    home.laterMs = 400 * 86_400_000;
    expect((await home.run(["retention", "run", "--yes"])).exitCode).toBe(0);
    expect(
      await home.look(async (aws) => [
        (await headObject(aws, { bucket: documentBucket, key: apiKey }))?.sizeBytes,
        await apiStored(aws),
        (await readItem(aws, userId, "simple"))?.["documents"]?.L?.length,
      ]),
    ).toEqual([pdf.byteLength, typed(apiItem).M, 0]);
  });

  it("are renamed and scanned in the item that documents-api has, and nowhere else", async () => {
    const renamed = await home.run(["doc", "rename", userId, apiItem.documentId, "CV.pdf"]);
    expect(renamed.exitCode).toBe(0);
    expect(await home.look(apiStored)).toEqual(typed({ ...apiItem, fileName: "CV.pdf" }).M);
  });

  it("are deleted on the website, not here", async () => {
    const before = await state();
    const { exitCode, stderr } = await home.run(["doc", "rm", userId, apiItem.documentId, "--yes"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("--hard takes it away there");
    expect(await state()).toEqual(before);
  });

  it("are taken away by rm --hard and brought back by restore, exactly as they were", async () => {
    const before = await state();
    const ids = [apiItem.documentId, today.id, inline.id];
    expect((await home.run(["doc", "rm", userId, ...ids, "--hard", "--dry-run"])).exitCode).toBe(0);
    expect(await state()).toEqual(before);
    const removed = await home.run(["doc", "rm", userId, ...ids, "--hard", "--yes"]);
    expect(removed.exitCode).toBe(0);
    const away = await state();
    expect(away.api).toBeUndefined();
    expect(away.profile?.["documents"]).toEqual({ L: [] });
    expect((await home.run(["doc", "list", userId])).stdout).toContain("no such documents");
    const listed = await home.run(["doc", "list", userId, "--deleted", "--json"]);
    const deleted = new Set(
      jsonLines(listed.stdout).map(({ id, status }) => `${String(id)} ${String(status)}`),
    );
    expect(deleted).toEqual(new Set(ids.map((id) => `${id} DELETED`)));
    expect((await home.run(["doc", "url", userId, today.id, "--allow-unscanned"])).exitCode).toBe(1);
    expect((await home.run(["doc", "tag", userId, today.id, "x"])).stderr).toContain("was removed");
    expect((await home.run(["doc", "check", userId])).exitCode).toBe(0);
    expect(
      (await home.run(["doc", "restore", userId, inline.id, today.id, apiItem.documentId])).exitCode,
    ).toBe(0);
    const back = await state();
    expect({ ...back, profile: undefined }).toEqual({ ...before, profile: undefined });
    expect(new Set(back.profile?.["documents"]?.L)).toEqual(new Set(before.profile?.["documents"]?.L));
    expect((await home.run(["doc", "list", userId, "--deleted"])).stdout).toContain("no such documents");
  });

  it("are purged by retention after rm --hard, from the private bucket alone", async () => {
    const ids = [apiItem.documentId, today.id, inline.id];
    await home.run(["doc", "rm", userId, ...ids, "--hard", "--yes"]);
    home.laterMs = 29 * 86_400_000;
    await home.run(["retention", "run", "--yes"]);
    const there = () =>
      home.look(async (aws) => [
        (await headObject(aws, { bucket: documentBucket, key: apiKey })) !== undefined,
        (await headObject(aws, { bucket: uploadsBucket, key: todayKey })) !== undefined,
      ]);
    expect(await there()).toEqual([true, true]);
    home.laterMs = 31 * 86_400_000;
    expect((await home.run(["retention", "run", "--yes"])).exitCode).toBe(0);
    expect(await there()).toEqual([false, true]);
    const left = await home.run(["doc", "list", userId, "--deleted", "--json"]);
    expect(jsonLines(left.stdout).map(({ id }) => id)).toEqual([today.id]);
  });

  it("keep their object when a page of the website writes the entry back that was removed", async () => {
    const moved = {
      ...today,
      s3Key: "public/documents/user-1/cv/1760000000000-4f9c2a1b.pdf",
      url: undefined,
    };
    await home.look(async (aws) => {
      await putObject(aws, { bucket: documentBucket, key: moved.s3Key, body: pdf });
      await putProfile(aws, userId, { documents: [moved] });
    });
    await home.run(["doc", "rm", userId, moved.id, "--hard", "--yes"]);
    await home.look((aws) => putProfile(aws, userId, { documents: [moved] }));
    home.laterMs = 31 * 86_400_000;
    expect((await home.run(["retention", "run", "--yes"])).exitCode).toBe(0);
    expect((await home.run(["doc", "list", userId, "--deleted"])).stdout).toContain("no such documents");
    const object = { bucket: documentBucket, key: moved.s3Key };
    expect(await home.look(async (aws) => (await headObject(aws, object))?.sizeBytes)).toBe(pdf.byteLength);
  });
});

it("a site without documents-api's table asks for it beside the first read, and goes on", async () => {
  await home.look((aws) => putProfile(aws, userId, { documents: [inline] }));
  const { exitCode, stdout } = await home.run(["doc", "list", userId]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("Notiz.pdf");
  const reads = home.calls.filter(({ service }) => service === "dynamodb").map(({ command }) => command);
  expect(reads.slice(-4).sort()).toEqual([
    "DescribeTableCommand",
    "GetItemCommand",
    "QueryCommand",
    "QueryCommand",
  ]);
});
