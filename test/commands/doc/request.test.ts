import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Aws } from "../../../src/aws/clients.ts";
import { listVersions } from "../../../src/aws/s3/listing.ts";
import { getObjectBytes } from "../../../src/aws/s3/objects.ts";
import { fromObjectMetadata } from "../../../src/model/documents.ts";
import { eicar } from "../../scan/contents.ts";
import { says, startFakeClamd } from "../../scan/fake-clamd.ts";
import {
  documentBucket as bucket,
  putProfile,
  readEntries,
  readItem,
  sha256,
} from "../../support/documents.ts";
import { foreignAttributes, type Shape } from "../../support/owner-item.ts";
import { serveHome, type ServedHome } from "../../support/served.ts";
import { makeHome, type Outcome, type TestHome } from "../../support/world.ts";

const pdf = Buffer.from("%PDF-1.7\nLebenslauf");
const minute = 60_000;

let home: TestHome;
let served: ServedHome | undefined;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(async () => {
  await served?.stop();
  served = undefined;
  await home.remove();
});

interface Requested {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly fields: Record<string, string>;
  readonly expiresAt: string;
  readonly curl: string;
}

function printed({ exitCode, stdout, stderr }: Outcome): Record<string, unknown> {
  expect([exitCode, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

function requested(outcome: Outcome): Requested {
  return printed(outcome) as unknown as Requested;
}

describe.each(["simple", "composite"] as const)("a requested document on the %s table", (shape: Shape) => {
  const env: Record<string, string> = { MAWPS_NEW_TABLE_SHAPE: shape };
  const run = (argv: readonly string[], more: Record<string, string> = {}) =>
    home.run(argv, { env: { ...env, ...more } });
  const look = <T>(what: (aws: Aws) => Promise<T>) => home.look(what, env);
  const entries = () => look((aws) => readEntries(aws, "user-1", shape));
  const confirm = (id: string, more: Record<string, string> = {}) =>
    run(["doc", "confirm", "user-1", id, "--json"], more);

  /** Asks for `Lebenslauf Größe.pdf` while the store is served. */
  async function request(...more: string[]): Promise<Requested> {
    await look((aws) => putProfile(aws, "user-1", foreignAttributes));
    served = await serveHome(home, { env });
    const argv = ["doc", "request", "user-1", "--type", "cv", "--name", "Lebenslauf Größe.pdf", "--json"];
    return requested(await run([...argv, ...more]));
  }

  function put(
    { url, headers }: Requested,
    body: Buffer,
    more: Record<string, string> = {},
  ): Promise<number> {
    return fetch(url, { method: "PUT", headers: { ...headers, ...more }, body: new Uint8Array(body) }).then(
      ({ status }) => status,
    );
  }

  async function post({ url, fields }: Requested, body: Buffer): Promise<number> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", new Blob([new Uint8Array(body)]), "x.pdf");
    return (await fetch(url, { method: "POST", body: form })).status;
  }

  /** Every version and marker of a document's key that is in the bucket. */
  function stored(): Promise<string[]> {
    return look(async (aws) => {
      const keys: string[] = [];
      for await (const page of listVersions(aws, { bucket, prefix: "public/documents/" })) {
        keys.push(...page.map(({ key }) => key));
      }
      return keys;
    });
  }

  async function trail(): Promise<{ action: string; details: Record<string, unknown> }[]> {
    const { stdout } = await run(["audit", "list", "--user", "user-1", "--json"]);
    expect(stdout).not.toMatch(/X-Amz-|policy|https?:/i);
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { action: string; details: Record<string, unknown> })
      .toReversed();
  }

  it("waits with an entry until its link ends, arrives by PUT, is looked at, and is ready", async () => {
    const link = await request("--expires", "2h");
    expect(link).toMatchObject({ method: "PUT", headers: { "Content-Type": "application/pdf" }, fields: {} });
    const [asked] = await entries();
    expect(asked).toEqual({
      id: link.id,
      name: "Lebenslauf Größe.pdf",
      type: "cv",
      s3Key: expect.stringMatching(/^public\/documents\/user-1\/cv\/\d{13}-[0-9a-f]{8}\.pdf$/),
      s3Url: expect.stringContaining(bucket),
      uploadedAt: expect.any(String),
      category: "cv",
      createdAt: asked?.["uploadedAt"],
      fileType: "application/pdf",
      storage: "s3",
      url: asked?.["s3Url"],
      contentType: "application/pdf",
      status: "UPLOADING",
      uploadedBy: expect.any(String),
      tags: [],
      uploadUntil: link.expiresAt,
    });
    const early = await confirm(link.id);
    expect([early.exitCode, early.stdout]).toEqual([1, ""]);
    expect(early.stderr).toContain("nothing has arrived yet");
    expect((await run(["doc", "check", "user-1"])).exitCode).toBe(0);

    expect(await put(link, pdf, { "content-type": "text/html" })).toBe(403);
    expect(await put(link, pdf)).toBe(200);
    const ready = printed(await confirm(link.id));
    const [entry] = await entries();
    expect(ready).toEqual({ userId: "user-1", ...entry });
    const { uploadUntil: _until, ...kept } = asked ?? {};
    expect(entry).toEqual({
      ...kept,
      status: "READY",
      size: pdf.byteLength,
      sha256: sha256(pdf),
      scanResult: "SKIPPED",
      scanReason: "no-scanner",
      uploadedAt: expect.any(String),
      s3Key: expect.not.stringMatching(String(asked?.["s3Key"])),
      s3Url: expect.not.stringMatching(String(asked?.["s3Url"])),
      url: entry?.["s3Url"],
    });
    const key = String(entry?.["s3Key"]);
    expect(await stored()).toEqual([key]);
    await look(async (aws) => {
      const { head, bytes } = await getObjectBytes(aws, { bucket, key });
      expect(bytes.equals(pdf)).toBe(true);
      expect(head.contentType).toBe("application/pdf");
      expect(fromObjectMetadata(head.metadata)).toEqual({
        id: link.id,
        name: "Lebenslauf Größe.pdf",
        sha256: sha256(pdf),
        uploadedBy: entry?.["uploadedBy"],
      });
      const item = await readItem(aws, "user-1", shape);
      expect(Object.keys(item ?? {})).toEqual(expect.arrayContaining(Object.keys(foreignAttributes)));
    });
    expect((await trail()).map(({ action, details }) => [action, details["phase"]])).toEqual([
      ["document.requested", undefined],
      ["document.confirmed", "begun"],
      ["document.confirmed", "done"],
    ]);
    expect(printed(await confirm(link.id))).toEqual(ready);
  });

  it("cannot be replaced by its link any more once it is taken, and the link ends", async () => {
    const link = await request("--expires", "2h");
    expect(await put(link, pdf)).toBe(200);
    printed(await confirm(link.id));
    const [before] = await entries();
    expect(await put(link, Buffer.from("%PDF-1.7\nsomething else"))).toBe(200);
    expect(await entries()).toEqual([before]);
    const key = String(before?.["s3Key"]);
    expect((await look((aws) => getObjectBytes(aws, { bucket, key }))).bytes.equals(pdf)).toBe(true);
    expect((await run(["doc", "check", "user-1"])).exitCode).toBe(4);
    home.laterMs = 121 * minute;
    expect(await put(link, pdf)).toBe(403);
  });

  it("arrives by a form, which S3 refuses when it is too large or changed", async () => {
    const limit = { MAWPS_MAX_DOCUMENT_BYTES: "100" };
    await look((aws) => putProfile(aws, "user-1"));
    served = await serveHome(home, { env });
    const argv = ["doc", "request", "user-1", "--type", "cv", "--name", "CV.pdf", "--post", "--json"];
    const link = requested(await run(argv, limit));
    expect(link.method).toBe("POST");
    expect(await post(link, Buffer.concat([pdf, Buffer.alloc(82)]))).toBe(400);
    expect(await post(link, Buffer.alloc(0))).toBe(400);
    expect(await post({ ...link, fields: { ...link.fields, "Content-Type": "text/html" } }, pdf)).toBe(403);
    expect(await stored()).toEqual([]);
    expect(await post(link, pdf)).toBe(204);
    expect(printed(await confirm(link.id, limit))).toMatchObject({ status: "READY", sha256: sha256(pdf) });
  });

  it.each([["PUT", []] as const, ["POST", ["--post"]] as const])(
    "comes with a line of curl that sends it by %s as it stands, whatever the file is called",
    async (_method, more) => {
      await look((aws) => putProfile(aws, "user-1"));
      served = await serveHome(home, { env });
      const name = `-o "it's" {a,b}[1-3];type=x $HOME.pdf`;
      const argv = ["doc", "request", "user-1", "--type", "cv", `--name=${name}`, ...more];
      const outcome = await run(argv);
      expect(outcome.exitCode).toBe(0);
      expect(outcome.stderr).not.toMatch(/X-Amz-|[Ss]ignature|policy/);
      const id = /mawps doc confirm user-1 (doc-[0-9a-f]{16})/.exec(outcome.stderr)?.[1] ?? "";
      await writeFile(join(home.folder, name), pdf);
      await promisify(execFile)("sh", ["-c", outcome.stdout], { cwd: home.folder });
      expect(printed(await confirm(id))).toMatchObject({ status: "READY", name, sha256: sha256(pdf) });
    },
  );

  it.each([
    ["of another kind", Buffer.from("MZ\u0090\0 a program"), {}, "the content is a Windows program, not pdf"],
    ["empty", Buffer.alloc(0), {}, "is empty"],
    ["too large", pdf, { MAWPS_MAX_DOCUMENT_BYTES: "10" }, "at most 10 B are taken"],
    [
      "of a kind that is not taken",
      pdf,
      { MAWPS_ALLOWED_TYPES: "txt" },
      "not among the documents that are taken",
    ],
  ])("is refused and removed in every version when it is %s", async (_name, body, limits, why) => {
    const link = await request();
    expect([await put(link, pdf), await put(link, body)]).toEqual([200, 200]);
    const dry = await run(["doc", "confirm", "user-1", link.id, "--dry-run"], limits);
    expect([dry.exitCode, (await stored()).length, (await entries()).length]).toEqual([1, 2, 1]);
    const outcome = await confirm(link.id, limits);
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, ""]);
    expect(outcome.stderr).toContain(why);
    expect(await stored()).toEqual([]);
    expect(await entries()).toEqual([]);
    expect((await trail()).slice(1).map(({ action, details }) => [action, details["phase"]])).toEqual([
      ["document.refused", "begun"],
      ["document.refused", "done"],
    ]);
  });

  it("is removed when it is infected, and its entry says by what", async () => {
    await using clamd = await startFakeClamd({ complete: says("stream: Win.Test.EICAR_HDB-1 FOUND\0") });
    const scanner = { MAWPS_CLAMAV_HOST: clamd.clamd.host, MAWPS_CLAMAV_PORT: String(clamd.clamd.port) };
    const link = await request();
    const infected = Buffer.concat([Buffer.from("%PDF-1.7\n"), eicar()]);
    expect(await put(link, infected)).toBe(200);
    const outcome = await confirm(link.id, scanner);
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, ""]);
    expect(outcome.stderr).toContain("is infected (Win.Test.EICAR_HDB-1)");
    expect(clamd.contents.map((content) => content.equals(infected))).toEqual([true]);
    expect(await stored()).toEqual([]);
    const [entry] = await entries();
    expect(entry).toMatchObject({
      id: link.id,
      status: "INFECTED",
      scanResult: "INFECTED",
      scanSignature: "Win.Test.EICAR_HDB-1",
      sha256: sha256(infected),
    });
    expect(entry).not.toHaveProperty("uploadUntil");
    const again = await confirm(link.id, scanner);
    expect(again.stderr).toContain("is INFECTED: there is nothing to confirm");
    expect((await trail()).at(-1)).toMatchObject({
      action: "document.refused",
      details: { phase: "done", reason: "infected", signature: "Win.Test.EICAR_HDB-1" },
    });
  });

  it("is scanned, and waits when the scanner does not answer and must", async () => {
    const link = await request();
    expect(await put(link, pdf)).toBe(200);
    const before = [await entries(), await stored()];
    const gone = { MAWPS_CLAMAV_SOCKET: join(home.folder, "no-such-socket") };
    const refused = await confirm(link.id, gone);
    expect([refused.exitCode, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain("was not scanned");
    expect([await entries(), await stored()]).toEqual(before);

    await using clamd = await startFakeClamd({ complete: says("stream: OK\0") });
    const scanner = { MAWPS_CLAMAV_HOST: clamd.clamd.host, MAWPS_CLAMAV_PORT: String(clamd.clamd.port) };
    expect(printed(await confirm(link.id, scanner))).toMatchObject({ status: "READY", scanResult: "CLEAN" });
    expect(clamd.contents.map((content) => content.equals(pdf))).toEqual([true]);
  });

  it("is taken unscanned where the policy allows that, with a warning", async () => {
    const link = await request();
    expect(await put(link, pdf)).toBe(200);
    const gone = { MAWPS_CLAMAV_SOCKET: join(home.folder, "no-such-socket"), MAWPS_SCAN_POLICY: "allow" };
    const outcome = await confirm(link.id, gone);
    expect(outcome.exitCode).toBe(0);
    expect(outcome.stderr).toContain("was not scanned");
    expect(await entries()).toMatchObject([{ status: "READY", scanResult: "ERROR" }]);
  });

  it.each([
    [["--name", "setup.exe"], 1, "not among the documents that are taken"],
    [["--name", "Lebenslauf"], 1, "says no kind of file"],
    [["--name", "../x.pdf"], 1, "holds a slash"],
    [["--name", "x.pdf", "--expires", "8d"], 2, "no link for longer than 7d"],
    [[], 2, "--name"],
  ])("is not asked for with %j, and nothing changes", async (argv, exitCode, why) => {
    await look((aws) => putProfile(aws, "user-1"));
    const outcome = await run(["doc", "request", "user-1", "--type", "cv", ...argv]);
    expect([outcome.exitCode, outcome.stdout]).toEqual([exitCode, ""]);
    expect(outcome.stderr).toContain(why);
    expect(await entries()).toEqual([]);
    expect(await trail()).toEqual([]);
  });

  it("tells in its help which flags it needs, and how long a link works unless told otherwise", async () => {
    const { stdout } = await run(["doc", "request", "--help"]);
    expect(stdout).toMatch(/--name <name> .*\(required\)/s);
    expect(stdout).toMatch(/--type <type> +cv, certificates, cover-letters, \.\.\.: needed where/);
    expect(stdout).toContain("(default: 15m)");
    expect(stdout.match(/\(required\)/g)).toHaveLength(1);
  });

  it("is asked of nobody unknown, unless a profile is to be made", async () => {
    const argv = ["doc", "request", "user-1", "--type", "cv", "--name", "x.pdf"];
    expect((await run(argv)).stderr).toContain("unknown user");
    expect((await run([...argv, "--create-profile"])).exitCode).toBe(0);
    expect(await entries()).toMatchObject([{ status: "UPLOADING", name: "x.pdf" }]);
  });
});
