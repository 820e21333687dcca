import { listeningAudit } from "../support/audit.ts";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuditEvent } from "../../src/model/audit.ts";
import { readDocuments } from "../../src/documents/entries.ts";
import { listAllDocuments } from "../../src/documents/list.ts";
import { openDocumentSite, type ChangingSite } from "../../src/documents/site.ts";
import { uploadDocuments } from "../../src/documents/upload.ts";
import type { UploadRequest, UploadResult } from "../../src/documents/upload-request.ts";
import { documentBucket, documentKeys, profileTable, putProfile, readEntries } from "../support/documents.ts";
import type { Shape } from "../support/owner-item.ts";
import { quietly } from "../support/signal.ts";
import { makeHome, type TestHome } from "../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(() => home.remove());

async function all(results: AsyncIterable<UploadResult>): Promise<UploadResult[]> {
  const found: UploadResult[] = [];
  for await (const result of results) found.push(result);
  return found;
}

describe.each(["simple", "composite"] as const)("uploads at once on the %s table", (shape: Shape) => {
  const work = <T>(what: (site: ChangingSite, recorded: AuditEvent[]) => Promise<T>) =>
    home.look(
      async (aws) => {
        const recorded: AuditEvent[] = [];
        const site = await openDocumentSite({
          aws,
          bucket: documentBucket,
          table: profileTable,
          uploadsBucket: "mawps-profile-images",
          apiTable: "mawps-user-documents",
          ownTable: "mawps-migrations",
          userPoolId: undefined,
          now: () => new Date("2026-03-01T12:00:00Z"),
          signal: quietly(),
          actor: "tester",
          audit: listeningAudit((events) => recorded.push(...events)),
          randomHex: (bytes: number) =>
            Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex"),
        });
        return what(site, recorded);
      },
      { MAWPS_NEW_TABLE_SHAPE: shape },
    );

  const request = async (site: ChangingSite, userId: string, ...names: string[]): Promise<UploadRequest> => ({
    user: await readDocuments(site, userId),
    type: "cv",
    files: names.map((name) => ({ label: name, name, path: join(home.folder, "files", name) })),
    tags: [],
    expiresAt: undefined,
    scanner: "not-asked",
    maxBytes: 1000,
    allowed: ["txt"],
    createProfile: undefined,
    dryRun: false,
    onProgress: () => undefined,
    onNote: () => undefined,
    onWarning: () => undefined,
  });

  const writeFiles = async (names: readonly string[]) => {
    await mkdir(join(home.folder, "files"));
    await Promise.all(names.map((name) => writeFile(join(home.folder, "files", name), `Inhalt ${name}`)));
  };

  it("keeps all of ten for the same user, each with its object and its record", () =>
    work(async (site, recorded) => {
      const names = Array.from({ length: 10 }, (_, at) => `file-${at}.txt`);
      await writeFiles(names);
      await putProfile(site.aws, "user-1");
      await Promise.all(
        names.map(async (name) => all(uploadDocuments(site, await request(site, "user-1", name)))),
      );
      const entries = await readEntries(site.aws, "user-1", shape);
      expect(new Set(entries.map(({ name }) => name))).toEqual(new Set(names));
      expect(entries.every(({ status }) => status === "READY")).toBe(true);
      expect(new Set(await documentKeys(site.aws))).toEqual(new Set(entries.map(({ s3Key }) => s3Key)));
      expect(new Set(recorded.map(({ details }) => details?.documentId))).toEqual(
        new Set(entries.map(({ id }) => id)),
      );
      expect(recorded).toHaveLength(10);
    }));

  it("makes one document of a file that ten upload at once, and each is told that it is there", () =>
    work(async (site) => {
      await writeFiles(["a.txt"]);
      await putProfile(site.aws, "user-1");
      const uploads = Array.from({ length: 10 }, async () =>
        all(uploadDocuments(site, await request(site, "user-1", "a.txt"))),
      );
      const outcomes = (await Promise.all(uploads)).flat().map(({ outcome }) => outcome);
      expect(outcomes).toHaveLength(10);
      expect(outcomes).not.toContain("failed");
      const [entry, ...others] = await readEntries(site.aws, "user-1", shape);
      expect(others).toEqual([]);
      expect(entry).toMatchObject({ name: "a.txt", status: "READY" });
      expect(await documentKeys(site.aws)).toEqual([entry?.["s3Key"]]);
    }));

  it("takes what nobody has foreseen of one file for a failure of that file", () =>
    work(async (site) => {
      await writeFiles(["a.txt", "b.txt"]);
      await putProfile(site.aws, "user-1");
      const { files, ...rest } = await request(site, "user-1", "a.txt", "odd.txt", "b.txt");
      // No file system takes such a path, and nothing explains what Node says of it.
      const odd = files.map((file) => (file.label === "odd.txt" ? { ...file, path: "odd\0.txt" } : file));
      const results = await all(uploadDocuments(site, { ...rest, files: odd }));
      expect(results.map(({ outcome }) => outcome)).toEqual(["uploaded", "failed", "uploaded"]);
      const [, failed] = results;
      expect(failed?.outcome === "failed" && failed.failure.message).toContain("this is a bug in mawps");
      expect((await readEntries(site.aws, "user-1", shape)).map(({ name }) => name)).toEqual([
        "a.txt",
        "b.txt",
      ]);
    }));

  it("makes one document of a file that is named twice", () =>
    work(async (site) => {
      await writeFiles(["a.txt"]);
      await putProfile(site.aws, "user-1");
      const results = await all(uploadDocuments(site, await request(site, "user-1", "a.txt", "a.txt")));
      expect(results.map(({ outcome }) => outcome)).toEqual(["uploaded", "unchanged"]);
      expect(await readEntries(site.aws, "user-1", shape)).toHaveLength(1);
    }));

  it("lists every document of every user, across pages of the table", () =>
    work(async (site) => {
      const padding = "x".repeat(300_000);
      for (let user = 0; user < 8; user++) {
        const documents = [1, 2, 3].map((day) => ({
          id: `d${day}`,
          uploadedAt: `2026-01-0${day}T00:00:00Z`,
        }));
        await putProfile(site.aws, `user-${user}`, { documents, padding });
        if (shape === "composite")
          await putProfile(site.aws, `user-${user}`, { documents: [{ id: "old" }] }, "document");
      }
      const listed: string[] = [];
      for await (const { userId, document } of listAllDocuments(site, { filter: {}, nobodies: new Map() }))
        listed.push(`${userId} ${document.id}`);
      const each = shape === "composite" ? ["d3", "d2", "d1", "old"] : ["d3", "d2", "d1"];
      for (let user = 0; user < 8; user++) {
        const own = listed.filter((line) => line.startsWith(`user-${user} `));
        expect(own).toEqual(each.map((id) => `user-${user} ${id}`));
      }
    }));
});
