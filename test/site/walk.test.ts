import { generateKeyPairSync } from "node:crypto";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AnyCommand } from "../../src/commands/command.ts";
import { buildProgram } from "../../src/program.ts";
import { realWorld } from "../../src/real-world.ts";
import { plainPicture } from "../fixtures/pictures.ts";
import { says, startFakeClamd, type FakeClamd } from "../scan/fake-clamd.ts";
import { soundTwin } from "../support/twins.ts";
import type { Outcome } from "../support/world.ts";
import { addresses, addressWithoutAccount } from "./accounts.ts";
import { nobodies, profiles, userDocuments } from "./items.ts";
import { documentKeys, openKeys, pdf, publicMedia, userFiles } from "./objects.ts";
import type { Picture } from "./picture.ts";
import { makeLiveSite, type LiveSite } from "./world.ts";

let site: LiveSite;
let clamd: FakeClamd;

beforeAll(async () => {
  site = await makeLiveSite();
  await site.run(["hero", "show"]);
  clamd = await startFakeClamd({ complete: says("stream: OK\0") });
  const put = (name: string, bytes: Uint8Array | string) => writeFile(join(site.home.folder, name), bytes);
  await put("photo.jpg", await plainPicture([9, 90, 190], { width: 900, height: 700 }).jpeg().toBuffer());
  await put("other.jpg", await plainPicture([190, 90, 9], { width: 900, height: 700 }).jpeg().toBuffer());
  await put("cv.pdf", pdf("neu"));
  await put("twin.json", JSON.stringify(soundTwin));
  await put("later.json", JSON.stringify({ ...soundTwin, updatedAt: "2027-01-01T10:00:00.000Z" }));
  const neu = { visitCount: 1, firstVisit: "2026-02-20T10:00:00.000Z" };
  await put("progress.json", JSON.stringify({ pages: { neu } }));
  const { privateKey } = generateKeyPairSync("ed25519");
  await put("audit.key", privateKey.export({ type: "pkcs8", format: "pem" }));
  await put("people.csv", "email,name\nkim@example.com,Kim\n");
});

afterAll(async () => {
  await clamd[Symbol.asyncDispose]();
  await site.remove();
});

/** Verbs that are not walked, each for its reason. */
const leftOut: Readonly<Record<string, string>> = {
  "local serve": "runs until it is stopped, and serves what others do",
  "local reset": "empties the local store, which is this very site, and means to",
  "config trust": "is about a configuration of somebody else's, not about the site",
  "retention recheck": "looks at what was left to S3; test/retention holds what it does",
  "access policy": "asks nothing of a site",
  "model list": "is about models, not about a site",
  "model show": "is about a model, not about a site",
  "model check": "reads; test/commands/model holds what it says of a site",
  "model graph": "is about a model, not about a site",
  "model init": "writes a model into a file",
  demo: "works in a store that it makes for itself",
};

/** A command line, and what of the site's it may change: beginnings of the lines of the difference. */
interface Step {
  readonly argv: readonly string[];
  readonly may?: readonly string[];
  /** Entries of `documents`, beside those that `argv` names, that it may change: ids, what is `new`, or `all`. */
  readonly entries?: readonly string[];
  readonly exitCode?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** The attributes of a profile that the verbs of a noun may change; what no noun has here, none may. */
const mayChange: Readonly<Record<string, readonly string[]>> = {
  doc: ["documents", "updatedAt"],
  retention: ["documents", "updatedAt"],
  backup: ["documents", "updatedAt"],
  hero: [
    "profileImageDefault",
    "profileImageHover",
    "profileImageVariants",
    "profileImageHistory",
    "updatedAt",
  ],
  avatar: ["profileImage", "profileImageUrl", "updatedAt"],
  progress: ["progressData", "lastProgressUpdate", "updatedAt"],
};

interface Entry {
  readonly M?: { readonly id?: { readonly S?: string } };
}

type StoredItem = Readonly<Record<string, { readonly L?: readonly Entry[] }>>;

/** What of a profile that was changed is not as it was, and had to be. */
function overreached({ argv, entries = [] }: Step, before: StoredItem, after: StoredItem): string[] {
  const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const attributes = names.filter(
    (name) => !isSame(before[name], after[name]) && mayChange[argv[0] ?? ""]?.includes(name) !== true,
  );
  if (entries.includes("all")) return attributes;
  const were = before["documents"]?.L ?? [];
  const ids = new Set(were.map(({ M }) => M?.id?.S));
  const mayBe = ({ M }: Entry) => {
    const id = M?.id?.S ?? "";
    return argv.includes(id) || entries.includes(ids.has(id) ? id : "new");
  };
  const others = (list: readonly Entry[]) => list.filter((entry) => !mayBe(entry));
  const areKept = isSame(others(were), others(after["documents"]?.L ?? []));
  return areKept ? attributes : [...attributes, "documents that it is not about"];
}

const passphrase = { MAWPS_BACKUP_PASSPHRASE: "correct horse battery staple" };

/** Several steps of one list only read: one look at the site is enough for all of them. */
function steps(): readonly (Step | readonly Step[] | (() => Promise<void>))[] {
  const { lena, tomas, jonas } = site.people;
  const item = (userId: string) => `changed item ${profiles} ${JSON.stringify({ userId })}`;
  const hero = `new object ${publicMedia} public/profile-images/owner/`;
  const documents = `new object ${userFiles} public/documents/${lena}/cv/`;
  const avatar = `new object ${userFiles} public/profile-images/${lena}/`;
  const apiItem = `item ${userDocuments} ${JSON.stringify({ userId: jonas, documentId: "api-doc-2" })}`;
  const scanner = { MAWPS_CLAMAV_HOST: clamd.clamd.host, MAWPS_CLAMAV_PORT: String(clamd.clamd.port) };
  const closed = (...argv: string[]) => ({ argv: ["backup", ...argv, "--repo", "closed"], env: passphrase });
  const tomasCv = `object ${userFiles} ${documentKeys.former(tomas)} `;
  return [
    // What reads.
    [
      { argv: ["hero", "show"] },
      { argv: ["hero", "list", "--unknown"] },
      { argv: ["avatar", "url", lena] },
      { argv: ["doc", "list", "--all"] },
      { argv: ["doc", "show", lena, "api-doc-1"] },
      { argv: ["doc", "get", lena, "--all", "-o", "out"], exitCode: 0 },
      { argv: ["progress", "show", lena] },
      { argv: ["progress", "stats"] },
      { argv: ["progress", "export", "-o", "all.json"] },
      { argv: ["twin", "validate", "twin.json"] },
      { argv: ["twin", "snippet"] },
      { argv: ["retention", "plan"] },
      { argv: ["retention", "check"], exitCode: 4 },
      { argv: ["migrate", "status"] },
      { argv: ["migrate", "plan"] },
      { argv: ["doctor"] },
      { argv: ["storage", "usage", "--by", "user"] },
      { argv: ["storage", "cost"] },
      { argv: ["report"] },
      { argv: ["access", "check"], exitCode: 4 },
      { argv: ["config", "show"] },
      { argv: ["local", "path"] },
      { argv: ["completion", "bash"] },
      { argv: ["backup", "pitr", "status"] },
    ],
    // Upkeep, before the tool has changed anything.
    { argv: ["setup"] },
    { argv: ["setup", "--fix", "--yes"], exitCode: 1 },
    { argv: ["retention", "run", "--yes"] },
    { argv: ["migrate", "up", "--yes"] },
    { argv: ["migrate", "down", "--to", "none", "--yes"] },
    { argv: ["doc", "check", "--repair", "--yes"], exitCode: 4 },
    // Pictures.
    { argv: ["hero", "set", "photo.jpg"], may: [item("owner"), hero] },
    { argv: ["hero", "set", "other.jpg", "--hover", "photo.jpg"], may: [item("owner"), hero] },
    { argv: ["hero", "rollback", "--yes"], may: [item("owner")] },
    { argv: ["hero", "rm", "--yes"], may: [item("owner")] },
    { argv: ["hero", "rollback", "--yes"], may: [item("owner")] },
    { argv: ["avatar", "set", addresses.lena, "photo.jpg"], may: [item(lena), avatar] },
    { argv: ["avatar", "rm", addresses.lena, "--yes"], may: [item(lena)] },
    // Documents.
    {
      argv: ["doc", "upload", addresses.lena, "cv.pdf", "--type", "cv", "--no-scan"],
      may: [item(lena), documents],
      entries: ["new"],
    },
    { argv: ["doc", "tag", tomas, "doc-tomas-1", "geprüft"], may: [item(tomas)] },
    { argv: ["doc", "rename", tomas, "doc-tomas-1", "CV.pdf"], may: [item(tomas)] },
    { argv: ["doc", "rm", tomas, "doc-tomas-1", "--yes"], may: [item(tomas)] },
    { argv: ["doc", "restore", tomas, "doc-tomas-1"], may: [item(tomas)] },
    { argv: ["doc", "rm", tomas, "doc-tomas-1", "--hard", "--yes"], may: [item(tomas)] },
    { argv: ["doc", "restore", tomas, "doc-tomas-1"], may: [item(tomas)] },
    { argv: ["doc", "rm", jonas, "api-doc-2", "--hard", "--yes"], may: [`gone ${apiItem}`] },
    { argv: ["doc", "restore", jonas, "api-doc-2"], may: [`new ${apiItem}`] },
    {
      argv: ["doc", "scan", "--all"],
      env: scanner,
      may: [item(lena), item(tomas), `changed item ${userDocuments} `],
      entries: ["all"],
    },
    { argv: ["doc", "scan", "--report"] },
    { argv: ["doc", "url", lena, "api-doc-1"] },
    { argv: ["doc", "revoke", lena, "api-doc-1"], exitCode: 1 },
    {
      argv: ["doc", "revoke", tomas, "doc-tomas-1", "--yes"],
      may: [item(tomas), `new object ${userFiles} public/documents/${tomas}/`, `gone ${tomasCv}`],
    },
    async () => {
      const request = ["doc", "request", lena, "--type", "cv", "--name", "Lebenslauf.pdf", "--json"];
      const { id } = JSON.parse(
        (await walked({ argv: request, may: [item(lena)], entries: ["new"] })).stdout,
      ) as {
        id: string;
      };
      await walked({ argv: ["doc", "confirm", lena, id], exitCode: 1 });
      await putRequested(lena, id);
      seen = await site.picture();
      // What the address still reaches is not what is confirmed: it is copied to a key of its own.
      const requested = `gone object ${userFiles} public/documents/${lena}/cv/`;
      const may = [item(lena), documents, requested];
      await walked({ argv: ["doc", "confirm", lena, id], env: scanner, may });
    },
    { argv: ["doc", "check", "--repair", "--yes"], exitCode: 4 },
    {
      argv: ["doc", "check", tomas, "--repair", "--yes", "--bring-back", documentKeys.deletedOnSite(tomas)],
      may: [item(tomas)],
      entries: ["new"],
    },
    // Accounts.
    { argv: ["user", "list", "--where", "email=~EXAMPLE.com"] },
    { argv: ["user", "show", lena] },
    { argv: ["user", "group", "list"] },
    { argv: ["user", "create", "nina@example.com", "--temporary-password", "none"], may: ["new user "] },
    { argv: ["user", "invite", "nina@example.com"], may: ["changed user "] },
    { argv: ["user", "set", "nina@example.com", "name=Nina"], may: ["changed user "] },
    { argv: ["user", "group", "add", lena, "admin"], may: [`changed user ${lena}`] },
    { argv: ["user", "group", "rm", lena, "admin"], may: [`changed user ${lena}`] },
    { argv: ["user", "hold", "add", lena, "--reason", "case 1"] },
    { argv: ["user", "hold", "list"] },
    { argv: ["user", "hold", "rm", lena, "--yes"] },
    { argv: ["user", "disable", lena, "--yes"], may: [`changed user ${lena}`] },
    { argv: ["user", "enable", lena], may: [`changed user ${lena}`] },
    { argv: ["user", "sign-out", lena, "--yes"] },
    { argv: ["user", "mfa", "reset", lena, "--yes"] },
    { argv: ["user", "reset-password", lena, "--yes"], exitCode: 1 },
    { argv: ["user", "confirm", lena], exitCode: 1 },
    { argv: ["user", "import", "people.csv", "--yes"], may: ["new user "] },
    { argv: ["user", "duplicates"] },
    { argv: ["user", "orphans"] },
    { argv: ["user", "export", lena, "-o", "lena.zip"] },
    { argv: ["user", "export", "verify", "lena.zip"] },
    // Progress and twin.
    { argv: ["progress", "import", addresses.tomas, "progress.json"], may: [item(tomas)] },
    { argv: ["progress", "recompute"], may: [item(tomas), item(lena)] },
    { argv: ["twin", "migrate", "twin.json", "--yes"] },
    { argv: ["twin", "migrate", "later.json", "--yes"] },
    { argv: ["twin", "rollback", "--yes"] },
    [
      { argv: ["twin", "show"] },
      { argv: ["twin", "history"] },
      { argv: ["twin", "diff"] },
      { argv: ["twin", "export"] },
    ],
    // Backups.
    [closed("create"), closed("list"), closed("show"), closed("verify")],
    async () => {
      await walked({ argv: ["doc", "rename", tomas, "doc-tomas-2", "Anders.pdf"], may: [item(tomas)] });
      await walked(closed("restore", "--only", "tables", "--on-conflict", "skip", "--yes"));
      await walked({
        ...closed("restore", "--user", tomas, "--on-conflict", "replace", "--yes"),
        may: [item(tomas)],
        entries: ["doc-tomas-2"],
      });
    },
    {
      ...closed("restore", "--user", addressWithoutAccount, "--on-conflict", "replace", "--yes"),
      exitCode: 1,
    },
    { ...closed("restore", "--user", nobodies[0], "--on-conflict", "replace", "--yes"), exitCode: 1 },
    [
      closed("drill"),
      closed("create"),
      closed("diff", "today", "latest"),
      closed("prune", "--keep-last", "1", "--yes"),
    ],
    { argv: ["backup", "pitr", "enable", "--yes"] },
    {
      argv: ["backup", "pitr", "restore", "--at", "latest", "--into", "profiles-before", "--yes"],
      may: ["new item profiles-before ", "new table profiles-before "],
    },
    { argv: ["backup", "native", "create", "--name", "nightly"] },
    { argv: ["backup", "native", "list"] },
    {
      argv: [
        "backup",
        "native",
        "restore",
        "nightly",
        "--table",
        "userProfiles",
        "--into",
        "profiles-nightly",
        "--yes",
      ],
      may: ["new item profiles-nightly ", "new table profiles-nightly "],
    },
    {
      argv: ["backup", "native", "export", "--to", "s3://mawps-resumes/exports", "--with-secrets", "--yes"],
      may: ["new object mawps-resumes exports/"],
    },
    { argv: ["backup", "native", "rm", "nightly", "--table", "userProfiles", "--yes"] },
    // A plan from a file, when what was deleted softly has become due.
    { argv: ["doc", "rm", tomas, "doc-tomas-2", "--yes"], may: [item(tomas)] },
    async () => void (site.home.laterMs += 40 * 86_400_000),
    { argv: ["retention", "plan", "--output", "due.json"] },
    {
      argv: ["retention", "run", "due.json", "--yes"],
      entries: ["doc-tomas-2"],
      may: [item(tomas), `gone object ${userFiles} ${documentKeys.formerCertificate(tomas)} `],
    },
    {
      argv: ["user", "erase", addresses.mira, "--yes"],
      may: [
        `gone item ${profiles} ${JSON.stringify({ userId: site.people.mira })}`,
        `gone user ${site.people.mira}`,
      ],
    },
    [
      { argv: ["audit", "list"] },
      { argv: ["audit", "verify"] },
      { argv: ["audit", "anchor", "--key", "audit.key"] },
      { argv: ["audit", "report", "--html", "audit.html"] },
      { argv: ["audit", "export", "-o", "audit.ndjson"] },
      { argv: ["init", "--target", "local"] },
    ],
    async () => rm(join(site.home.folder, "mawps.config.json"), { force: true }),
    {
      argv: ["setup", "--fix", "--yes", "--even-if-public-objects"],
      // What it is told to: the grants of the objects mean nothing from then on.
      may: [
        `changed bucket ${publicMedia} policy`,
        ...["ownership", "public access block", "acl"].map((each) => `changed bucket ${userFiles} ${each}`),
        ...openKeys.map((key) => `changed object ${userFiles} ${key} `),
      ],
    },
  ];
}

/** Does what a page does with the address that `doc request` gave out. */
async function putRequested(userId: string, id: string): Promise<void> {
  const shown = await site.run(["doc", "show", userId, id, "--json"]);
  const { s3Key } = JSON.parse(shown.stdout) as { s3Key: string };
  await site.look(async (aws) => {
    const s3 = await aws.s3();
    await s3.send(
      new PutObjectCommand({
        Bucket: userFiles,
        Key: s3Key,
        Body: pdf("verlangt"),
        ContentType: "application/pdf",
      }),
    );
  });
}

const auditItem = "item mawps-audit-log ";

/** The picture after the step before. */
let seen: Picture;
const done: string[][] = [];
const faults: string[] = [];

/** Walks one step, and keeps what it changed without leave. */
async function walked(step: Step): Promise<Outcome> {
  const outcome = await ran(step);
  await looked(step);
  return outcome;
}

async function ran({ argv, exitCode = 0, env = {} }: Step): Promise<Outcome> {
  const outcome = await site.run(argv, { env });
  done.push([...argv]);
  if (outcome.exitCode !== exitCode)
    faults.push(`${argv.join(" ")}: exit ${outcome.exitCode}: ${outcome.stderr}`);
  return outcome;
}

/** Those that only read. */
async function walkedTogether(steps: readonly Step[]): Promise<void> {
  for (const step of steps) await ran(step);
  await looked({ argv: ["one of", ...steps.map(({ argv }) => `'${argv.join(" ")}'`)] });
}

async function looked(step: Step): Promise<void> {
  const { argv, may = [] } = step;
  const line = argv.join(" ");
  const now = await site.picture();
  const changed = await site.changedSince(seen, now);
  const entries = (picture: Picture) => [...picture.keys()].filter((name) => name.startsWith(auditItem));
  if (changed.length > 0 && entries(now).length === entries(seen).length)
    faults.push(`${line}: left no entry in the audit trail`);
  const stateIn = (picture: Picture, name: string) => JSON.parse(picture.get(name) ?? "{}") as StoredItem;
  for (const each of changed.filter((one) => one.startsWith(`changed item ${profiles} `))) {
    const name = each.slice("changed ".length);
    for (const what of overreached(step, stateIn(seen, name), stateIn(now, name)))
      faults.push(`${line}: ${each}: ${what}`);
  }
  seen = now;
  for (const each of changed.filter((one) => !may.some((start) => one.startsWith(start))))
    faults.push(`${line}: ${each}`);
  for (const start of may.filter((one) => !changed.some((each) => each.startsWith(one))))
    if (start.startsWith("new") || start.startsWith("gone")) faults.push(`${line}: nothing is ${start}`);
}

function verbs(command: AnyCommand, before: readonly string[] = []): string[] {
  return command.commands.flatMap((child: AnyCommand) =>
    child.commands.length > 0
      ? verbs(child, [...before, child.name()])
      : [[...before, child.name()].join(" ")],
  );
}

const options = { timeout: 1_800_000 };

test(
  "every verb of the tree, in the site's storage, changes what it means to and nothing else",
  options,
  async () => {
    seen = await site.picture();
    for (const step of steps()) {
      if (typeof step === "function") await step();
      else await ("argv" in step ? walked(step) : walkedTogether(step));
    }
    expect(faults).toEqual([]);
    const tree = verbs(await buildProgram(realWorld(new AbortController().signal)).tree());
    const isWalked = (verb: string) => done.some((argv) => argv.join(" ").startsWith(verb));
    expect(tree.filter((verb) => !isWalked(verb))).toEqual(tree.filter((verb) => verb in leftOut));
    expect(tree.length).toBeGreaterThan(60);
  },
);
