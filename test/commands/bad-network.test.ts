import { ListTablesCommand, UpdateContinuousBackupsCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, ListBucketsCommand } from "@aws-sdk/client-s3";
import { randomUUID } from "node:crypto";
import { cp } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { listAudit } from "../../src/audit/list.ts";
import { openTrail } from "../../src/audit/trail.ts";
import type { Aws } from "../../src/aws/clients.ts";
import { listPoolUsers } from "../../src/aws/cognito/users-list.ts";
import { scanItems } from "../../src/aws/dynamodb/items.ts";
import { listNativeBackups } from "../../src/aws/dynamodb/native-backups.ts";
import { listVersions } from "../../src/aws/s3/listing.ts";
import { listUnfinishedUploads } from "../../src/aws/s3/open-uploads.ts";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import type { AuditEntry } from "../../src/model/audit.ts";
import type { AnyCommand } from "../../src/commands/command.ts";
import { buildProgram } from "../../src/program.ts";
import { realWorld } from "../../src/real-world.ts";
import { says, startFakeClamd } from "../scan/fake-clamd.ts";
import { startBadNetwork } from "../support/bad-network.ts";
import { documentBucket, putProfile } from "../support/documents.ts";
import { asAws, serveHome } from "../support/served.ts";
import { putWholeSite } from "../support/whole-site.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";

/*
 * Every command that changes something leaves an entry in the audit trail. And each once over a network on which all is well, and once over one that cuts connections and a server
 * that refuses. What is stored in the end is the same.
 */

const backupBucket = "mawps-backups";
const repo = `s3://${backupBucket}/repository`;

/** How each changing verb of the tree is called. One that is missing here, and below, fails the first test. */
const changing: Readonly<Record<string, readonly string[]>> = {
  "hero set": ["photo.jpg"],
  "hero rollback": [],
  "hero rm": [],
  "avatar set": ["user-1", "photo.jpg"],
  "avatar rm": ["user-1"],
  "audit verify": ["--acknowledge", "seen"],
  "retention run": [],
  "backup create": ["--repo", repo],
  "backup restore": ["--repo", repo, "--on-conflict", "replace", "--from-elsewhere"],
  "backup prune": ["--repo", repo, "--keep-last", "1"],
  "backup pitr enable": [],
  "backup pitr restore": ["--at", "latest", "--into", "profiles-before"],
  "backup native create": [],
  "backup native restore": ["nightly", "--into", "profiles-before"],
  "backup native export": ["--to", `s3://${documentBucket}/exports`, "--table", "userProfiles"],
  "backup native rm": ["nightly"],
  "migrate up": ["--repo", repo],
  "migrate down": [],
  "doc upload": ["user-1", "letter.txt", "--type", "cv"],
  "doc revoke": ["user-1", "doc-1"],
  "doc request": ["user-1", "--type", "cv", "--name", "Lebenslauf.pdf"],
  "doc confirm": ["user-1", "doc-3"],
  "doc rm": ["user-1", "doc-1"],
  "doc restore": ["user-1", "doc-2"],
  "doc tag": ["user-1", "doc-1", "checked"],
  "doc rename": ["user-1", "doc-1", "Brief.txt"],
  "doc scan": ["--all"],
  "doc check": ["--repair"],
  "twin migrate": ["twin.json"],
  "twin rollback": [],
  "user create": ["nina@example.com", "--group", "admin"],
  "user import": ["people.csv"],
  "user invite": ["eva@example.com"],
  "user confirm": ["nora@example.com"],
  "user disable": ["max@example.com"],
  "user enable": ["ida@example.com"],
  "user sign-out": ["max@example.com"],
  "user reset-password": ["max@example.com"],
  "user mfa reset": ["max@example.com"],
  "user group add": ["eva@example.com", "admin"],
  "user group rm": ["max@example.com", "admin"],
  "user hold add": ["user-1", "--reason", "case 1"],
  "user hold rm": ["user-1"],
  "user set": ["max@example.com", "name=Max Mustermann"],
  "user erase": ["user-1"],
  "progress import": ["user-1", "progress.json"],
  "progress recompute": [],
  setup: ["--fix"],
};

/** Read, though what takes personal data out leaves an entry in the audit trail. */
const reading: Readonly<Record<string, readonly string[]>> = {
  "doc get": ["user-1", "--all", "-o", "out"],
  "doc url": ["user-1", "doc-1"],
  "progress export": [],
  "avatar url": ["user-1"],
  "twin export": [],
  "user export": ["user-1", "-o", "user-1.zip"],
  report: ["--overwrite"],
};

/** Change nothing that is stored, or only what is on this machine. */
const elsewhere = [
  "hero show",
  "hero list",
  "audit list",
  "audit anchor",
  "audit report",
  "audit export",
  "retention plan",
  "retention check",
  "backup list",
  "backup show",
  "backup verify",
  "backup drill",
  "backup diff",
  "backup pitr status",
  "backup native list",
  "migrate status",
  "migrate plan",
  "doc list",
  "doc show",
  "twin show",
  "twin validate",
  "twin history",
  "twin diff",
  "twin snippet",
  "progress show",
  "progress stats",
  "user list",
  "user show",
  "user duplicates",
  "user orphans",
  "user group list",
  "user hold list",
  "doctor",
  "access policy",
  "access check",
  "storage usage",
  "storage cost",
  "model list",
  "model show",
  "model check",
  "model graph",
  "model init",
  "init",
  "config show",
  "config trust",
  "local path",
  "local serve",
  "local reset",
  "demo",
  "completion",
];

/** So that `setup` has something to make, and `doc scan` an engine. */
const surroundings: Record<string, Record<string, string>> = {
  setup: { MAWPS_PROFILE_IMAGES_BUCKET: "new-uploads", MAWPS_DIGITAL_TWIN_TABLE: "new-twin" },
};

/** What is done before, so that the verb has something to do. */
const prepared: Readonly<Record<string, readonly string[]>> = {
  "backup restore": ["doc", "tag", "user-1", "doc-1", "later"],
  "migrate up": ["migrate", "down", "--to", "none"],
  "user hold rm": ["user", "hold", "add", "user-1", "--reason", "case 1"],
};

let site: TestHome;
let engine: Awaited<ReturnType<typeof startFakeClamd>>;

beforeAll(async () => {
  engine = await startFakeClamd({ complete: says("stream: OK\0") });
  const { host, port } = engine.clamd;
  surroundings["doc scan"] = { MAWPS_CLAMAV_HOST: host, MAWPS_CLAMAV_PORT: String(port) };
  site = await makeHome();
  site.tickMs = 1;
  await putWholeSite(site);
  await site.look(async (aws) => {
    await (await aws.s3()).send(new CreateBucketCommand({ Bucket: backupBucket }));
    // So that recovery can be switched on, and totals corrected.
    const ikigai = { firstVisit: "2026-01-01T00:00:00Z", lastVisit: "2026-01-01T00:00:00Z", visitCount: 1 };
    const overallStats = { totalPages: 1, visitedPages: 1, completedPages: 1, completionPercentage: 100 };
    await putProfile(aws, "user-2", { progressData: { pages: { ikigai }, overallStats } });
    await (
      await aws.dynamodb()
    ).send(
      new UpdateContinuousBackupsCommand({
        TableName: "mawps-digital-twin",
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
      }),
    );
  });
  for (let backups = 0; backups < 2; backups += 1) {
    site.laterMs += 86_400_000;
    await site.run(["backup", "create", "--repo", repo, "--with-secrets"]);
  }
  await site.look(leaveInterrupted);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await engine[Symbol.asyncDispose]();
  await site.remove();
});

interface Played {
  readonly exitCode: number;
  readonly stderr: string;
  readonly state: readonly string[];
  readonly met: number;
  /** The entries of the audit trail that the command left. */
  readonly told: readonly AuditEntry[];
}

/** Verbs that tell of one person's data. */
const ofSomebody = /^(hero|avatar|doc|twin|progress) (?!export$|check$)/;

/** Runs a command on a copy of the site; without a seed all is well. */
async function played(
  argv: readonly string[],
  {
    seed,
    before,
    env = {},
  }: { readonly seed?: number; readonly before?: readonly string[]; readonly env?: Record<string, string> },
): Promise<Played> {
  const home = await makeHome();
  home.tickMs = 1;
  home.laterMs = site.laterMs + 3_600_000;
  await cp(site.folder, home.folder, { recursive: true });
  if (before !== undefined) await home.run([...before, "--yes"]);
  const known = new Set((await home.look(entriesOf)).map(({ id }) => id));
  const served = await serveHome(home);
  asAws(served);
  const network = seed === undefined ? undefined : await startBadNetwork(served.endpoint, seed);
  try {
    const target = ["--target", "aws", "--endpoint-url", network?.url ?? served.endpoint];
    const { exitCode, stderr } = await home.run([...argv, ...target, "--yes"], {
      env: { MAWPS_USER_POOL_ID: localPoolId("eu-central-1"), ...env },
      limits: { firstDelayMs: 1 },
    });
    await served.stop();
    const { refused = 0, cut = 0 } = network?.harm ?? {};
    const told = (await home.look(entriesOf)).filter(({ id }) => !known.has(id));
    return { exitCode, stderr, state: await home.look(stateOf), met: refused + cut, told };
  } finally {
    await network?.close();
    await served.stop();
    await home.remove();
  }
}

/** So that there is something to acknowledge: a change whose run ended before its outcome. */
async function leaveInterrupted(aws: Aws): Promise<void> {
  const now = () => new Date(testStart.getTime() + site.laterMs);
  const writer = { actor: "local:test", userAgent: "test", retentionDays: 3000, now, newId: randomUUID };
  const place = { aws, table: "mawps-audit-log", bucket: documentBucket };
  const trail = await openTrail(place, writer, { explain: async () => undefined, warn() {} });
  await new Promise<void>((begun) => {
    void trail.irreversible({ action: "document.purged" }, () => {
      begun();
      return new Promise(() => undefined);
    });
  });
  await trail.settle();
}

async function entriesOf(aws: Aws): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for await (const entry of listAudit({ aws, table: "mawps-audit-log", bucket: documentBucket }, {}))
    entries.push(entry);
  return entries;
}

/** What is stored, a line a thing, without what is another one each time: names by chance, times, and sums over these. */
async function stateOf(aws: Aws): Promise<string[]> {
  const [dynamodb, s3] = await Promise.all([aws.dynamodb(), aws.s3()]);
  const lines: string[] = [];
  // What was put again after a lost answer has one more version: of those that are not the latest any number counts.
  const former = new Set<string>();
  const { TableNames = [] } = await dynamodb.send(new ListTablesCommand({}));
  for (const table of TableNames) {
    lines.push(`table ${table}`);
    for await (const items of scanItems(aws, { table }))
      for (const item of items)
        lines.push(`item ${table} ${JSON.stringify(Object.entries(item).toSorted(byName))}`);
    for await (const backups of listNativeBackups(aws, table))
      for (const { name, status } of backups) lines.push(`backup ${table} ${name} ${status}`);
  }
  for await (const accounts of listPoolUsers(aws, localPoolId("eu-central-1"), { paced: (call) => call() }))
    for (const { createdAt: _made, modifiedAt: _changed, ...account } of accounts)
      lines.push(`account ${JSON.stringify(account)}`);
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  for (const { Name: bucket = "" } of Buckets) {
    lines.push(`bucket ${bucket}`);
    for await (const versions of listVersions(aws, { bucket })) {
      for (const { key, etag, isDeleteMarker, isLatest } of versions) {
        const content = /^(audit|repository|exports)\//.test(key) ? "" : etag;
        const what = `object ${bucket} ${key} ${isDeleteMarker ? "deleted" : content}`;
        former.add(masked(what));
        // How many heads of the audit trail are anchored depends on how many are reached meanwhile.
        if (isLatest && !key.startsWith("audit/")) lines.push(`latest ${what}`);
      }
    }
    for await (const { key } of listUnfinishedUploads(aws, { bucket })) lines.push(`upload ${bucket} ${key}`);
  }
  return [...lines.map(masked), ...former].toSorted();
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}

function masked(text: string): string {
  return text
    .replaceAll(/[\w+/]{86}==/g, "SIGNATURE")
    .replaceAll(/(?<=\/data\/)[\da-f]{2}(?=\/)/g, "ID")
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, "SERVER")
    .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, "ID")
    .replaceAll(/(?<![\w])[\da-f]{6,}(?![\w])/g, "ID")
    .replaceAll(/\d{4}-\d\d-\d\d[T:.\d-]*Z?/g, "TIME")
    .replaceAll(/\d{8}T\d*Z?/g, "TIME")
    .replaceAll(/"(sequence|version|N)":"?\d+"?/g, "$1 N");
}

/** Works on what a run has left to S3, which takes a site of its own: test/retention/hand-over.test.ts. */
const onHandedOver = ["retention recheck"];

function verbs(command: AnyCommand, before: readonly string[] = []): string[] {
  return command.commands.flatMap((child: AnyCommand) =>
    child.commands.length > 0
      ? verbs(child, [...before, child.name()])
      : [[...before, child.name()].join(" ")],
  );
}

it("knows every verb of the tree", async () => {
  const tree = await buildProgram(realWorld(new AbortController().signal)).tree();
  const known = [...Object.keys(changing), ...Object.keys(reading), ...elsewhere, ...onHandedOver];
  expect(verbs(tree).sort()).toEqual(known.sort());
});

describe("over a bad network the same is stored in the end", () => {
  const rows = Object.entries({ ...changing, ...reading }).map(([verb, argv], at) => ({
    verb,
    argv,
    seed: at + 1,
  }));

  it.each(rows)("$verb", async ({ verb, argv, seed }) => {
    const line = [...verb.split(" "), ...argv];
    const [env, before] = [surroundings[verb], prepared[verb]];
    const well = await played(line, { env, before });
    expect({ exitCode: well.exitCode, stderr: well.exitCode === 0 ? "" : well.stderr }).toEqual({
      exitCode: 0,
      stderr: "",
    });
    expect(well.told).not.toEqual([]);
    const isNobodys = ({ action, userId }: AuditEntry) =>
      ofSomebody.test(verb) && action !== "setup.applied" && userId === undefined;
    expect(well.told.filter(isNobodys)).toEqual([]);
    const badly = await played(line, { seed, env, before });
    expect({
      exitCode: badly.exitCode,
      stderr: badly.exitCode === 0 ? "" : badly.stderr,
    }).toEqual({
      exitCode: well.exitCode,
      stderr: "",
    });
    expect(badly.state).toEqual(well.state);
    expect(badly.met).toBeGreaterThan(0);
  });
});
