import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { putHold } from "../../../src/audit/holds.ts";
import { deleteAllVersions } from "../../../src/aws/s3/deletion.ts";
import { deleteItems } from "../../../src/aws/dynamodb/delete-items.ts";
import type { Item } from "../../../src/aws/dynamodb/items.ts";
import { headObject } from "../../../src/aws/s3/objects.ts";
import type { Aws } from "../../../src/aws/clients.ts";
import {
  documentBucket as bucket,
  documentKeys,
  profileTable,
  putAvatar,
  putDocument,
  putProfile,
  readEntries,
} from "../../support/documents.ts";
import type { Shape } from "../../support/owner-item.ts";
import { serveHome, type ServedHome } from "../../support/served.ts";
import { makeHome, testStart, type Outcome, type TestHome } from "../../support/world.ts";

const minute = 60_000;

let home: TestHome;
let served: ServedHome | undefined;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(async () => {
  await served?.stop();
  served = undefined;
  vi.unstubAllEnvs();
  await home.remove();
});

interface Printed {
  readonly url: string;
  readonly expiresAt: string;
}

function printed({ exitCode, stdout, stderr }: Outcome): Printed {
  expect([exitCode, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Printed;
}

function lines({ stdout }: Outcome): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Below those that systems give to whoever asks for any free one, so that none of the other tests is given it; each process has its own. */
const ownPort = 10_000 + (process.pid % 20_000);

describe.each(["simple", "composite"] as const)("links on the %s table", (shape: Shape) => {
  const env: Record<string, string> = { MAWPS_NEW_TABLE_SHAPE: shape };
  const run = (...argv: string[]) => home.run(argv, { env });
  const look = <T>(what: (aws: Aws) => Promise<T>) => home.look(what, env);
  const trail = async (action: string) => lines(await run("audit", "list", "--json", "--action", action));

  async function putDocuments(...changes: Record<string, unknown>[]): Promise<void> {
    await look(async (aws) => {
      const documents = await Promise.all(
        changes.map(async (change, at) => ({
          ...(await putDocument(aws, { userId: "user-1", id: `doc-${at + 1}`, body: `Nummer ${at + 1}` })),
          ...change,
        })),
      );
      await putProfile(aws, "user-1", { documents });
    });
  }

  it("opens the document under its name for anybody, until its end, and for nobody who changes it", async () => {
    await putDocuments({ name: "Lebenslauf Jürgen Groß.txt" });
    served = await serveHome(home, { env });
    const { url } = printed(await run("doc", "url", "user-1", "doc-1", "--expires", "2h", "--json"));
    expect(url.startsWith(`${served.endpoint}/${bucket}/public/documents/user-1/cv/`)).toBe(true);
    const opened = await fetch(url);
    expect(opened.status).toBe(200);
    expect(await opened.text()).toBe("Nummer 1");
    expect(opened.headers.get("content-type")).toBe("text/plain");
    expect(opened.headers.get("content-disposition")).toBe(
      "attachment; filename=\"Lebenslauf J_rgen Gro_.txt\"; filename*=UTF-8''Lebenslauf%20J%C3%BCrgen%20Gro%C3%9F.txt",
    );
    const last = url.at(-1) === "0" ? "1" : "0";
    for (const changed of [
      url.slice(0, -1) + last,
      url.replace("/cv/", "/cw/"),
      url.replace("=7200", "=7201"),
    ]) {
      expect(changed).not.toBe(url);
      expect((await fetch(changed)).status).toBe(403);
    }
    home.laterMs = 110 * minute;
    expect((await fetch(url)).status).toBe(200);
    home.laterMs = 121 * minute;
    expect((await fetch(url)).status).toBe(403);
  });

  it("may last for some seconds only", async () => {
    await putDocuments({});
    // Of the seconds none goes by with a look at the clock.
    home.tickMs = 1;
    served = await serveHome(home, { env });
    const { url } = printed(await run("doc", "url", "user-1", "doc-1", "--expires", "30s", "--json"));
    expect(new URL(url).searchParams.get("X-Amz-Expires")).toBe("30");
    expect((await fetch(url)).status).toBe(200);
    home.laterMs = minute;
    expect((await fetch(url)).status).toBe(403);
  });

  it("is recorded by document and end, and never itself", async () => {
    await putDocuments({});
    const outcome = await run("doc", "url", "user-1", "doc-1", "--expires", "2h", "--inline");
    expect(outcome.exitCode).toBe(0);
    const url = outcome.stdout.trim();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:9700\/\S+&X-Amz-Signature=[0-9a-f]{64}\S*$/);
    expect(outcome.stderr).toContain("good until");
    expect(outcome.stderr).toContain("(2 h)");
    expect(outcome.stderr).toContain("mawps local serve --port 9700");
    expect(outcome.stderr).not.toContain("X-Amz-");
    const entries = await trail("document.link-created");
    expect(entries).toMatchObject([
      {
        userId: "user-1",
        details: { documentId: "doc-1", name: "doc-1.txt", fileType: "cv", method: "GET" },
      },
    ]);
    const { expiresAt: end = "" } = (entries[0]?.["details"] ?? {}) as { expiresAt?: string };
    const signed = new URL(url).searchParams;
    const at = signed.get("X-Amz-Date") ?? "";
    expect(signed.get("X-Amz-Expires")).toBe("7200");
    expect(signed.get("response-content-disposition")).toMatch(/^inline; filename="doc-1\.txt"/);
    // To the second in which it was signed, as S3 counts.
    expect(new Date(Date.parse(end) - 7_200_000).toISOString().replaceAll(/[-:]|\.\d{3}/g, "")).toBe(at);
    const everything = (await run("audit", "list", "--json")).stdout;
    expect(everything).not.toMatch(/X-Amz-|Signature|http:/);
  });

  it("works as soon as the store is served, when it was made before", async () => {
    await putDocuments({});
    const fixed = { ...env, MAWPS_LOCAL_PORT: String(ownPort) };
    const { url } = printed(await home.run(["doc", "url", "user-1", "doc-1", "--json"], { env: fixed }));
    served = await serveHome(home, { port: ownPort, env: fixed });
    expect((await fetch(url)).status).toBe(200);
  });

  it("is not made where it could never open: no fixed port, and nothing serves", async () => {
    await putDocuments({});
    const free = { ...env, MAWPS_LOCAL_PORT: "0" };
    const outcome = await home.run(["doc", "url", "user-1", "doc-1"], { env: free });
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, ""]);
    expect(outcome.stderr).toContain("start `mawps local serve` first");
    served = await serveHome(home, { env: free });
    const { url } = printed(await home.run(["doc", "url", "user-1", "doc-1", "--json"], { env: free }));
    expect((await fetch(url)).status).toBe(200);
  });

  it("is refused when temporary credentials would end it sooner, unless that is allowed", async () => {
    await putDocuments({});
    // Credentials that end are judged by the machine's own clock.
    home.laterMs = Date.now() - testStart.getTime();
    served = await serveHome(home, { env });
    const { accessKeyId, secretAccessKey } = served.credentials;
    const sessionEnd = new Date(Date.now() + 60 * minute).toISOString();
    const session = {
      Version: 1,
      Expiration: sessionEnd,
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
    };
    const file = join(home.folder, "aws-config");
    await writeFile(`${file}.json`, JSON.stringify(session));
    await writeFile(file, `[profile session]\ncredential_process = cat ${file}.json\n`);
    vi.stubEnv("AWS_CONFIG_FILE", file);
    const aws = { ...env, MAWPS_TARGET: "aws", AWS_ENDPOINT_URL: served.endpoint, AWS_PROFILE: "session" };
    const ask = (...argv: string[]) => home.run(["doc", "url", "user-1", "doc-1", ...argv], { env: aws });
    const refused = await ask("--expires", "2h");
    expect([refused.exitCode, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain(`the link would end at ${sessionEnd}`);
    expect(await trail("document.link-created")).toEqual([]);
    const shorter = await ask("--expires", "2h", "--allow-shorter", "--json");
    expect(shorter.exitCode).toBe(0);
    expect(JSON.parse(shorter.stderr)).toEqual({ warning: expect.stringContaining(sessionEnd) });
    const { url, expiresAt } = JSON.parse(shorter.stdout) as Printed;
    expect(expiresAt).toBe(sessionEnd);
    expect((await fetch(url)).status).toBe(200);
    expect((await ask("--json")).stderr).toBe("");
    expect(await trail("document.link-created")).toHaveLength(2);
    const { Expiration: _, ...endless } = session;
    await writeFile(`${file}.json`, JSON.stringify({ ...endless, SessionToken: "token" }));
    const unknown = await ask("--json");
    expect([unknown.exitCode, JSON.parse(unknown.stderr)]).toEqual([
      0,
      { warning: expect.stringContaining("temporary credentials sign the link") },
    ]);
  });

  it.each([
    ["UPLOADING", { status: "UPLOADING" }, "is UPLOADING, not READY"],
    ["SCANNING", { status: "SCANNING" }, "is SCANNING, not READY"],
    ["INFECTED", { status: "INFECTED", scanResult: "INFECTED" }, "is INFECTED, not READY"],
    ["READY by the website's hand, infected by the scanner's", { scanResult: "INFECTED" }, "is INFECTED"],
    ["DELETED", { status: "DELETED" }, "is DELETED, not READY"],
    ["of a status that nobody knows", { status: "MAYBE" }, "is UNKNOWN, not READY"],
    [
      "somebody else's file",
      { s3Key: "public/documents/user-2/cv/1-2.pdf" },
      "in none of the folders of user-1",
    ],
    ["an avatar", { s3Key: "public/profile-images/user-1/1-2.jpg" }, "in none of the folders of user-1"],
    ["without an object", { s3Key: "public/documents/user-1/cv/1-22222222.txt" }, "is not in the bucket"],
  ])("is refused for a document that is %s", async (_name, change, why) => {
    await putDocuments(change);
    const outcome = await run("doc", "url", "user-1", "doc-1", "--allow-unscanned");
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, ""]);
    expect(outcome.stderr).toContain(why);
    expect(await trail("document.link-created")).toEqual([]);
  });

  it.each([
    ["SKIPPED", { scanResult: "SKIPPED" }],
    ["ERROR", { scanResult: "ERROR" }],
    ["never scanned", { scanResult: undefined, status: undefined }],
  ])("needs --allow-unscanned for one that is %s", async (_name, change) => {
    await putDocuments(change);
    const refused = await run("doc", "url", "user-1", "doc-1");
    expect([refused.exitCode, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain("has not been scanned");
    expect(refused.stderr).toContain("--allow-unscanned");
    expect((await run("doc", "url", "user-1", "doc-1", "--allow-unscanned")).exitCode).toBe(0);
    expect(await trail("document.link-created")).toHaveLength(1);
  });

  it.each([
    [["user-1", "doc-1", "--expires", "8d"], "no link for longer than 7d"],
    [["user-1", "doc-1", "--expires", "0m"], "expected a time span"],
    [["user-1", "doc-1", "--expires", "30S"], "expected a time span"],
    [["user-1", "doc-1", "--inline", "--download"], "--download"],
    [["user-1"], "say whose document, and which"],
    [["user-1", "doc-1", "--list"], "--list takes a user at most"],
  ])("refuses %j as wrong usage", async (argv, why) => {
    const outcome = await run("doc", "url", ...argv);
    expect([outcome.exitCode, outcome.stdout]).toEqual([2, ""]);
    expect(outcome.stderr).toContain(why);
  });

  it("are listed of whom there is, or was while a link is alive", async () => {
    await putDocuments({});
    expect(lines(await run("doc", "url", "--list", "user-1", "--json"))).toEqual([]);
    const nobody = await run("doc", "url", "--list", "nosuch");
    expect([nobody.exitCode, nobody.stdout, nobody.stderr]).toEqual([
      1,
      "",
      expect.stringContaining('unknown user "nosuch"'),
    ]);
    await run("doc", "url", "user-1", "doc-1");
    const profile: Item = { userId: { S: "user-1" } };
    if (shape === "composite") profile["type"] = { S: "user-profile" };
    await look((aws) => deleteItems(aws, profileTable, { keys: [profile] }));
    const told = lines(await run("doc", "url", "--list", "user-1", "--json"));
    expect(told.map(({ id }) => id)).toEqual(["doc-1"]);
  });

  it("makes none in a dry run, and says when it would end", async () => {
    await putDocuments({});
    const { url, expiresAt } = printed(await run("doc", "url", "user-1", "doc-1", "--json", "--dry-run"));
    expect([url, Date.parse(expiresAt) > testStart.getTime()]).toEqual([null, true]);
    const text = await run("doc", "url", "user-1", "doc-1", "--dry-run");
    expect([text.exitCode, text.stdout]).toEqual([0, ""]);
    expect(text.stderr).toMatch(/no link was made \(dry run\); it would be good until [^\n]*\n$/);
    expect(await trail("document.link-created")).toEqual([]);
  });

  it("is told at the CDN where the site has one: without signature and end, and recorded all the same", async () => {
    await putDocuments({});
    const [key = ""] = await look(documentKeys);
    const cdn = (...argv: string[]) =>
      home.run(["doc", "url", "user-1", "doc-1", "--cdn", ...argv], {
        env: { ...env, MAWPS_CDN_BASE_URL: "https://cdn.example.com/files" },
      });
    for (const refused of [
      await run("doc", "url", "user-1", "doc-1", "--cdn"),
      await cdn("w=300 h=300"),
      await cdn("w=300", "--expires", "2h"),
    ])
      expect([refused.exitCode, refused.stdout]).toEqual([2, ""]);
    expect((await cdn("--dry-run", "--json")).stdout).toContain('"url":null');
    const dry = await cdn("--dry-run");
    expect([dry.exitCode, dry.stdout, dry.stderr]).toEqual([0, "", expect.stringContaining("(dry run)")]);
    expect(await trail("document.link-created")).toEqual([]);

    expect((await cdn()).stdout).toBe(`https://cdn.example.com/files/${key}\n`);
    const small = await cdn("w=300&h=300&fit=crop&format=webp");
    expect(small.stdout).toBe(`https://cdn.example.com/files/${key}?w=300&h=300&fit=crop&format=webp\n`);
    expect(small.stderr).toContain("it has no end");
    expect(small.stderr).toMatch(/warning: a CDN transforms pictures, and this is (?!image)/);
    await cdn();
    const entries = await trail("document.link-created");
    const url = "https://cdn.example.com/files";
    const transformation = "w=300&h=300&fit=crop&format=webp";
    expect(entries).toMatchObject([
      { details: { method: "CDN", url } },
      { details: { method: "CDN", url, transformation } },
      { details: { method: "CDN", url, documentId: "doc-1", key } },
    ]);
    expect(entries[0]?.["details"]).not.toHaveProperty("transformation");
    expect(JSON.stringify(entries)).not.toMatch(/expiresAt/);
    // Weeks later, each once, until its object is gone.
    home.laterMs = 30 * 24 * 60 * minute;
    await run("doc", "url", "user-1", "doc-1");
    for (const whose of [[], ["user-1"]]) {
      const told = lines(await run("doc", "url", "--list", ...whose, "--json"));
      expect(told.map(({ kind, id, expiresAt }) => [kind, id, expiresAt])).toEqual([
        ["document", "doc-1", expect.any(String)],
        ["cdn", "doc-1", null],
        ["cdn", "doc-1", null],
      ]);
    }
    const text = await run("doc", "url", "--list");
    expect(text.stdout).toMatch(/cdn +doc-1 .*no end/);
    expect(text.stdout).not.toContain("cdn.example");
    await look((aws) => deleteAllVersions(aws, bucket, { key }));
    expect(lines(await run("doc", "url", "--list", "--json"))).toEqual([]);
  });

  it("lists the links that are alive, of documents, pictures and uploads, and never one itself", async () => {
    await putDocuments({}, {});
    await look(async (aws) => {
      const profileImage = await putAvatar(aws, "user-2");
      await putProfile(aws, "user-2", { profileImage });
    });
    await run("doc", "url", "user-1", "doc-1", "--expires", "1h");
    await run("doc", "url", "user-1", "doc-2", "--expires", "2d");
    await run("doc", "request", "user-1", "--type", "cv", "--name", "Neu.pdf", "--expires", "1d");
    await run("avatar", "url", "user-2", "--expires", "3d");
    const all = await run("doc", "url", "--list", "--json");
    expect(lines(all).map(({ userId, kind, name }) => [userId, kind, name])).toEqual([
      ["user-2", "avatar", null],
      ["user-1", "upload", "Neu.pdf"],
      ["user-1", "document", "doc-2.txt"],
      ["user-1", "document", "doc-1.txt"],
    ]);
    const text = await run("doc", "url", "--list");
    expect(text.stdout + all.stdout).not.toMatch(/http|X-Amz|Signature/);
    home.laterMs = 61 * minute;
    expect(lines(await run("doc", "url", "--list", "user-1", "--json")).map(({ id }) => id)).toEqual([
      expect.stringMatching(/^doc-[0-9a-f]{16}$/),
      "doc-2",
    ]);
    const [second] = await look((aws) => readEntries(aws, "user-1", shape)).then((all) => all.slice(1));
    await look((aws) => deleteAllVersions(aws, bucket, { key: String(second?.["s3Key"]) }));
    expect(lines(await run("doc", "url", "--list", "user-1", "--json")).map(({ kind }) => kind)).toEqual([
      "upload",
    ]);
    home.laterMs = 4 * 24 * 60 * minute;
    expect((await run("doc", "url", "--list")).stdout).toBe("no link is alive\n");
  });

  it("is ended by revoke: the object moves with its entry, and nothing stays at the old place", async () => {
    await putDocuments({ note: "fremd" }, {});
    served = await serveHome(home, { env });
    const { url } = printed(await run("doc", "url", "user-1", "doc-1", "--json"));
    const other = printed(await run("doc", "url", "user-1", "doc-2", "--json"));
    const [before, untouched] = await look((aws) => readEntries(aws, "user-1", shape));
    expect((await fetch(url)).status).toBe(200);

    const revoked = await run("doc", "revoke", "user-1", "doc-1", "--json");
    expect([revoked.exitCode, revoked.stderr]).toEqual([0, ""]);
    expect((await fetch(url)).status).toBe(404);
    expect((await fetch(other.url)).status).toBe(200);
    const [after, stillUntouched] = await look((aws) => readEntries(aws, "user-1", shape));
    expect(stillUntouched).toEqual(untouched);
    const { s3Key, s3Url } = after ?? {};
    expect(s3Key).toMatch(/^public\/documents\/user-1\/cv\/1734384121711-[0-9a-f]{8}\.txt$/);
    expect(s3Key).not.toBe(before?.["s3Key"]);
    expect(String(s3Url).endsWith(`/${bucket}/${String(s3Key)}`)).toBe(true);
    expect(after).toEqual({ ...before, s3Key, s3Url, url: s3Url });
    expect(lines(revoked)).toEqual([{ userId: "user-1", ...after }]);
    await look(async (aws) => {
      expect(await documentKeys(aws)).toEqual([s3Key, untouched?.["s3Key"]].map(String).sort());
      const head = await headObject(aws, { bucket, key: String(s3Key) });
      expect(head).toMatchObject({ contentType: "text/plain", metadata: { "document-id": "doc-1" } });
    });
    expect((await trail("document.link-revoked")).map(({ details }) => details)).toMatchObject([
      { documentId: "doc-1", previousKey: before?.["s3Key"], key: s3Key, phase: "done" },
      { documentId: "doc-1", previousKey: before?.["s3Key"], key: s3Key, phase: "begun" },
    ]);
    expect(lines(await run("doc", "url", "--list", "--json")).map(({ id }) => id)).toEqual(["doc-2"]);
    const fresh = printed(await run("doc", "url", "user-1", "doc-1", "--json"));
    expect(await (await fetch(fresh.url)).text()).toBe("Nummer 1");
    expect((await run("doc", "check", "user-1")).exitCode).toBe(0);
  });

  it("of an id that nobody has is told as that by rm and revoke, also under holds, which are told with what lifts one", async () => {
    await putDocuments({});
    for (const reason of ["case 8", "case 9"])
      expect((await run("user", "hold", "add", "user-1", "--reason", reason)).exitCode).toBe(0);
    const before = await look((aws) => readEntries(aws, "user-1", shape));
    for (const verb of ["rm", "revoke"]) {
      const unknown = await run("doc", verb, "user-1", "doc-none", "--yes");
      expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining('the id "doc-none"')]);
      const held = await run("doc", verb, "user-1", "doc-1", "--yes");
      expect([held.exitCode, held.stderr]).toEqual([1, expect.stringContaining("(case 8; case 9)")]);
      expect(held.stderr).toContain("`mawps user hold rm --hold <number>` lifts one");
    }
    expect(await look((aws) => readEntries(aws, "user-1", shape))).toEqual(before);
  });

  it("is not ended by revoke where its person comes under a legal hold while the object is copied", async () => {
    await putDocuments({});
    const before = await look((aws) => readEntries(aws, "user-1", shape));
    const hold = { userId: "user-1", ids: ["user-1"], reason: "case 7", salt: "0a", at: testStart };
    home.beforeCall = async (command, _input, aws) => {
      if (command !== "CopyObjectCommand") return;
      await putHold({ aws, table: "mawps-audit-log", signal: AbortSignal.timeout(minute) }, hold);
    };
    const outcome = await run("doc", "revoke", "user-1", "doc-1");
    home.beforeCall = undefined;
    expect([outcome.exitCode, outcome.stderr]).toEqual([1, expect.stringContaining("legal hold (case 7)")]);
    expect(await look((aws) => readEntries(aws, "user-1", shape))).toEqual(before);
    expect(await look(documentKeys)).toContain(before[0]?.["s3Key"]);
  });

  it("is not ended by revoke where a legal hold comes while the object is copied: document and versions stay", async () => {
    await putDocuments({});
    const [before] = await look((aws) => readEntries(aws, "user-1", shape));
    const held = { ...before, legalHold: "case 7" };
    home.beforeCall = async (command, _input, aws) => {
      if (command === "CopyObjectCommand") await putProfile(aws, "user-1", { documents: [held] });
    };
    const outcome = await run("doc", "revoke", "user-1", "doc-1");
    home.beforeCall = undefined;
    expect([outcome.exitCode, outcome.stderr]).toEqual([1, expect.stringContaining("it stays where it was")]);
    expect(await look((aws) => readEntries(aws, "user-1", shape))).toEqual([held]);
    expect(await look(documentKeys)).toContain(before?.["s3Key"]);
  });

  it("is not ended by revoke where another attribute names the object: nothing changes", async () => {
    await putDocuments({});
    const documents = await look((aws) => readEntries(aws, "user-1", shape));
    const s3Key = String(documents[0]?.["s3Key"]);
    await look((aws) => putProfile(aws, "user-1", { documents, resumes: [{ url: `s3://b/${s3Key}` }] }));
    const outcome = await run("doc", "revoke", "user-1", "doc-1");
    expect([outcome.exitCode, outcome.stderr]).toEqual([1, expect.stringContaining('"resumes"')]);
    expect(await look(documentKeys)).toEqual([s3Key]);
    expect(await look((aws) => readEntries(aws, "user-1", shape))).toEqual(documents);
  });

  it.each([
    ["UPLOADING", { status: "UPLOADING" }, "there is nothing yet"],
    ["under a legal hold", { legalHold: "Klage 12 C 34/26" }, "under a legal hold (Klage 12 C 34/26)"],
    ["somebody else's file", { s3Key: "public/documents/user-2/cv/1-2.pdf" }, "in none of the folders"],
  ])("is not ended by revoke for a document that is %s: nothing changes", async (_name, change, why) => {
    await putDocuments(change);
    const state = () =>
      look(async (aws) => [await documentKeys(aws), await readEntries(aws, "user-1", shape)]);
    const before = await state();
    const outcome = await run("doc", "revoke", "user-1", "doc-1");
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, ""]);
    expect(outcome.stderr).toContain(why);
    expect(await state()).toEqual(before);
    expect(await trail("document.link-revoked")).toEqual([]);
  });
});
