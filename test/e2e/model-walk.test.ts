import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serve, type Served } from "@mawps/local-aws/src/serve.ts";
import { openStore } from "@mawps/local-aws/src/store.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";
import { installed, run } from "./programs.ts";

/** The walk of a site by its model, on a store that is served; what it leaves is looked at with Debian's awscli alone. */

let home: TestHome;
let served: Served | undefined;

beforeEach(async () => {
  home = await makeHome();
  home.tickMs = 1;
});
afterEach(async () => {
  await served?.close();
  served = undefined;
  await home.remove();
});

const now = new Date();
const month = `${now.getUTCFullYear()}/${String(now.getUTCMonth() + 1).padStart(2, "0")}`;
const sites = [
  {
    model: "prework",
    region: "us-east-1",
    accounts: { table: "prework-users", item: { id: { S: "u-1" }, email: { S: "max@example.com" } } },
    documents: { table: "prework-files", bucket: "prework-media-bucket", status: "status" },
    words: { ready: "READY", deleted: "DELETED" },
    rowKey: (id: string) => ({ id: { S: id } }),
    given: [] as readonly string[],
    keyOf: (name: string) => `users/u-1/uploads/${month}/${name}`,
  },
  {
    model: "prework-guide",
    region: "eu-central-1",
    accounts: {
      table: "pre-work-users",
      item: { PK: { S: "USER#u-1" }, SK: { S: "METADATA" }, email: { S: "max@example.com" } },
    },
    documents: { table: "pre-work-media", bucket: "pre-work-media-uploads", status: "uploadStatus" },
    words: { ready: "completed", deleted: "deleted" },
    rowKey: (id: string) => ({ PK: { S: `MEDIA#${id}` }, SK: { S: "METADATA" } }),
    given: ["--field", "submissionId=s-1"],
    keyOf: (name: string) => `submissions/s-1/u-1/${name}`,
  },
];

describe.each(sites)("$model, served", (site) => {
  const { model, accounts, documents, words, rowKey, given, keyOf } = site;
  const { table, bucket, status } = documents;

  it("is set up, used, backed up, lost and brought back, as another client sees it", async (context) => {
    const program = await installed("aws", context);
    const env = { MAWPS_MODEL: model, AWS_REGION: site.region };
    const { region } = site;
    // By this machine's clock, by which awscli signs.
    const clock = { region, now: () => new Date() };
    const dir = join(home.folder, "store");
    await mkdir(dir, { recursive: true });
    const store = await openStore(dir, clock);
    served = await serve(store, { ...clock, dir, port: 0 });
    const { endpoint } = served;
    const { credentials } = store;
    const aws = async (...argv: string[]): Promise<unknown> => {
      const outcome = await run(program, ["--endpoint-url", endpoint, "--output", "json", ...argv], {
        cwd: home.folder,
        env: {
          PATH: "/usr/bin:/bin",
          HOME: home.folder,
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          AWS_DEFAULT_REGION: site.region,
        },
      });
      expect([argv.join(" "), outcome.code, outcome.stderr]).toEqual([argv.join(" "), 0, ""]);
      return outcome.stdout.trim() === "" ? undefined : (JSON.parse(outcome.stdout) as unknown);
    };
    const ok = async (...argv: string[]) => {
      home.laterMs = Date.now() - testStart.getTime();
      const done = await home.run([...argv, "--json", "--yes"], { env });
      expect([argv.join(" "), done.exitCode, done.stderr]).toEqual([argv.join(" "), 0, ""]);
      return done.stdout;
    };
    const idIn = (told: string) => (JSON.parse(told) as { id: string }).id;
    const rowOf = async (id: string) => {
      const key = JSON.stringify(rowKey(id));
      const found = await aws("dynamodb", "get-item", "--table-name", table, "--key", key);
      return (found as { Item?: Record<string, unknown> } | undefined)?.Item;
    };
    const files = async () => {
      const listed = await aws("s3api", "list-object-versions", "--bucket", bucket);
      const { Versions = [] } = listed as { Versions?: { Key: string; IsLatest: boolean; Size: number }[] };
      return Versions.filter(({ Key }) => !Key.startsWith("audit/"))
        .map(({ Key, IsLatest, Size }) => `${Key} ${Size}${IsLatest ? "" : " earlier"}`)
        .toSorted();
    };

    await ok("setup");
    const item = JSON.stringify(accounts.item);
    await aws("dynamodb", "put-item", "--table-name", accounts.table, "--item", item);
    await writeFile(join(home.folder, "notes.txt"), "what is written");
    const uploaded = await ok("doc", "upload", "max@example.com", "notes.txt", "--no-scan", ...given);
    const id = idIn(uploaded);
    const key = keyOf("notes.txt");
    expect(await rowOf(id)).toMatchObject({ [status]: { S: words.ready }, s3Key: { S: key } });
    expect(await files()).toEqual([`${key} 15`]);
    const { url } = JSON.parse(await ok("doc", "url", "u-1", id, "--allow-unscanned")) as { url: string };
    expect(await (await fetch(url)).text()).toBe("what is written");

    // Asked for, sent by whoever has the link, confirmed.
    const asked = await ok("doc", "request", "u-1", "--name", "scan.txt", ...given);
    const request = JSON.parse(asked) as { id: string; url: string; headers: Record<string, string> };
    const put = await fetch(request.url, { method: "PUT", headers: request.headers, body: "sent by a page" });
    expect(put.status).toBe(200);
    await ok("doc", "confirm", "u-1", request.id);
    expect(await rowOf(request.id)).toMatchObject({ [status]: { S: words.ready } });

    await ok("doc", "rm", "u-1", id);
    const before = await rowOf(id);
    expect(before).toMatchObject({ [status]: { S: words.deleted } });
    const repo = ["--repo", join(home.folder, "backups")];
    await ok("backup", "create", ...repo);
    await ok("backup", "native", "create");
    const native = await aws("dynamodb", "list-backups", "--table-name", table);
    expect(native).toMatchObject({ BackupSummaries: [{ BackupStatus: "AVAILABLE" }] });

    // Nothing is due yet; then somebody loses both for good.
    expect(JSON.parse(await ok("retention", "run"))).toMatchObject({ done: 0, failed: [] });
    await aws("dynamodb", "delete-item", "--table-name", table, "--key", JSON.stringify(rowKey(id)));
    const versions = ["list-object-versions", "--bucket", bucket, "--prefix", key, "--query", "Versions[0]"];
    const { VersionId } = (await aws("s3api", ...versions)) as { VersionId: string };
    await aws("s3api", "delete-object", "--bucket", bucket, "--key", key, "--version-id", VersionId);
    expect(await files()).toEqual([`${keyOf("scan.txt")} 14`]);

    await ok("backup", "drill", ...repo);
    await ok("backup", "restore", "latest", ...repo);
    expect(await rowOf(id)).toEqual(before);
    expect(await files()).toEqual([`${key} 15`, `${keyOf("scan.txt")} 14`].toSorted());
    await ok("doc", "restore", "u-1", id);
    expect(await rowOf(id)).toMatchObject({ [status]: { S: words.ready } });
    await ok("doc", "check");
    await ok("audit", "verify");
  });
});
