import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AnyCommand } from "../../src/commands/command.ts";
import { buildProgram } from "../../src/program.ts";
import { realWorld } from "../../src/real-world.ts";
import { putProfile } from "../support/documents.ts";
import { asBeforeThisTool } from "../support/old-store.ts";
import { putWholeSite } from "../support/whole-site.ts";
import { makeHome, type TestHome } from "../support/world.ts";

/**
 * How each verb of the tree is called when everything about it is well. A verb that is missing here fails the first
 * test: nobody adds one without these manners.
 */
const calls: Readonly<Record<string, readonly string[]>> = {
  "hero set": ["photo.jpg"],
  "hero show": [],
  "hero list": [],
  "hero rollback": [],
  "hero rm": [],
  "avatar set": ["user-1", "photo.jpg"],
  "avatar url": ["user-1"],
  "avatar rm": ["user-1"],
  "audit list": [],
  "audit verify": [],
  "audit export": [],
  "audit anchor": ["--key", "audit.key"],
  "audit report": [],
  "retention plan": [],
  "retention run": [],
  "retention recheck": ["due-2027-01"],
  "retention check": [],
  "backup create": [],
  "backup list": [],
  "backup show": [],
  "backup verify": [],
  "backup restore": ["--on-conflict", "replace"],
  "backup drill": [],
  "backup diff": ["latest", "latest"],
  "backup prune": ["--keep-last", "1"],
  "backup pitr status": [],
  "backup pitr enable": [],
  "backup pitr restore": ["--at", "latest", "--into", "profiles-before"],
  "backup native create": [],
  "backup native list": [],
  "backup native restore": ["nightly", "--into", "profiles-before"],
  "backup native export": ["--to", "s3://mawps-user-files-1760106396/exports"],
  "backup native rm": ["nightly"],
  "migrate status": [],
  "migrate plan": [],
  "migrate up": [],
  "migrate down": [],
  "doc upload": ["user-1", "letter.txt", "--type", "cv"],
  "doc list": ["user-1"],
  "doc show": ["user-1", "doc-1"],
  "doc url": ["user-1", "doc-1"],
  "doc revoke": ["user-1", "doc-1"],
  "doc get": ["user-1", "--all", "-o", "out"],
  "doc request": ["user-1", "--type", "cv", "--name", "Lebenslauf.pdf"],
  "doc confirm": ["user-1", "doc-3"],
  "doc rm": ["user-1", "doc-1"],
  "doc restore": ["user-1", "doc-2"],
  "doc tag": ["user-1", "doc-1", "checked"],
  "doc rename": ["user-1", "doc-1", "Brief.txt"],
  "doc scan": ["--report"],
  "doc check": [],
  "twin show": [],
  "twin export": [],
  "twin migrate": ["twin.json"],
  "twin validate": ["twin.json"],
  "twin history": [],
  "twin diff": [],
  "twin rollback": [],
  "twin snippet": [],
  "user list": [],
  "user show": ["max@example.com"],
  "user create": ["nina@example.com", "--group", "admin"],
  "user invite": ["eva@example.com"],
  "user confirm": ["nora@example.com"],
  "user disable": ["max@example.com"],
  "user enable": ["ida@example.com"],
  "user sign-out": ["max@example.com"],
  "user reset-password": ["max@example.com"],
  "user mfa reset": ["max@example.com"],
  "user group list": [],
  "user group add": ["eva@example.com", "admin"],
  "user group rm": ["max@example.com", "admin"],
  "user hold list": [],
  "user hold add": ["user-1", "--reason", "case 1"],
  "user hold rm": ["user-1"],
  "user set": ["max@example.com", "name=Max Mustermann"],
  "user import": ["people.csv"],
  "user duplicates": [],
  "user orphans": [],
  "user export": ["user-1"],
  "user erase": ["user-1"],
  "progress show": ["user-1"],
  "progress stats": [],
  "progress export": [],
  "progress import": ["user-1", "progress.json"],
  "progress recompute": [],
  report: [],
  "access policy": ["ci-backup"],
  "access check": [],
  "storage usage": [],
  "storage cost": [],
  "model list": [],
  "model show": [],
  "model check": ["--live"],
  "model graph": [],
  "model init": [],
  setup: [],
  doctor: [],
  init: ["--target", "local"],
  "config show": [],
  "config trust": [],
  "local path": [],
  "local serve": [],
  "local reset": [],
  demo: [],
  completion: ["bash"],
};

/** Have tests of their own: one runs until it is stopped, the others want what somebody else or another run has written. */
const elsewhere = new Set(["local serve", "config trust", "retention recheck"]);
/** Lists that are empty where everything is well. */
const maybeEmpty = new Set([
  "backup diff",
  "retention plan",
  "retention check",
  "doc check",
  "user duplicates",
  "user hold list",
]);
/** What asks before it goes on. */
const asking = new Set([
  "backup restore",
  "backup prune",
  "backup native rm",
  "hero rm",
  "avatar rm",
  "doc rm",
  "user disable",
  "user sign-out",
  "user reset-password",
  "user mfa reset",
  "migrate up",
  "local reset",
]);

const rows = Object.entries(calls)
  .filter(([verb]) => !elsewhere.has(verb))
  .map(([verb, argv]) => ({ verb, argv: [...verb.split(" "), ...argv] }));

/** With a repository of backups: somebody in it is unknown to the site, somebody else is another there. */
let site: TestHome;

beforeAll(async () => {
  const earlier = await makeHome();
  await earlier.look(async (aws) => {
    for (const userId of ["user-1", "user-9"]) await putProfile(aws, userId);
  });
  await earlier.run(["backup", "create"]);
  site = await makeHome();
  await putWholeSite(site);
  const backups = join("store", "backups");
  await cp(join(earlier.folder, backups), join(site.folder, backups), { recursive: true });
  await earlier.remove();
});

afterAll(() => site.remove());

function verbs(command: AnyCommand, before: readonly string[] = []): string[] {
  return command.commands.flatMap((child: AnyCommand) =>
    child.commands.length > 0
      ? verbs(child, [...before, child.name()])
      : [[...before, child.name()].join(" ")],
  );
}

/** Every file of the site with its bytes: what must not change. */
async function files(): Promise<Map<string, string>> {
  const entries = await readdir(site.folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  // Opening LevelDB rotates its own log files; what is stored shows through `calls`.
  const stable = paths.filter((path) => !/\/(s3|dynamodb|cognito|lock)\//.test(path));
  return new Map(
    await Promise.all(stable.map(async (path) => [path, await readFile(path, "base64")] as const)),
  );
}

it("knows how to call every verb of the tree", async () => {
  const tree = await buildProgram(realWorld(new AbortController().signal)).tree();
  expect(verbs(tree).sort()).toEqual(Object.keys(calls).sort());
});

it("fits the help of every verb into 60 columns", async () => {
  const tree = await buildProgram(realWorld(new AbortController().signal)).tree();
  const linesOf = (command: AnyCommand): string[] => {
    command.configureHelp({ ...command.configureHelp(), helpWidth: 60 });
    const lines = command.helpInformation().split("\n");
    return [...lines, ...command.commands.flatMap((child: AnyCommand) => linesOf(child))];
  };
  const lines = linesOf(tree);
  expect(lines.length).toBeGreaterThan(1000);
  expect(lines.filter((line) => line.length > 60)).toEqual([]);
});

it("takes - and nothing but spaces for the name of nothing that a verb writes", async () => {
  const writing = new Set(["--output", "--html", "--keep", "--receipt", "--failed"]);
  const tree = await buildProgram(realWorld(new AbortController().signal)).tree();
  const optionsOf = (command: AnyCommand, before: readonly string[] = []): [string, string][] =>
    command.commands.flatMap((child: AnyCommand) => {
      const path = [...before, child.name()];
      const own = child.options.flatMap(({ long, required }): [string, string][] =>
        required && typeof long === "string" && writing.has(long) ? [[path.join(" "), long]] : [],
      );
      return [...own, ...optionsOf(child, path)];
    });
  const options = optionsOf(tree);
  expect(options.map(([verb]) => verb)).toEqual(
    expect.arrayContaining(["doc get", "retention plan", "demo"]),
  );
  const before = site.calls.length;
  for (const [verb, option] of options) {
    for (const [name, told] of [
      ["-", `${option} - is no name`],
      ["", `${option} is empty`],
      [" ", `${option} is empty`],
    ] as const) {
      const refused = await site.run([...verb.split(" "), ...(calls[verb] ?? []), option, name, "--yes"]);
      expect([verb, refused.exitCode, refused.stdout]).toEqual([verb, 2, ""]);
      expect(refused.stderr).toContain(told);
    }
  }
  expect(site.calls.length).toBe(before);
  expect(await readdir(site.folder)).not.toContain("-");
});

describe("every verb, done", () => {
  let home: TestHome;

  beforeEach(async () => {
    home = await site.copy();
  });

  afterEach(() => home.remove());

  it.each(rows)("$verb --json: stdout is JSON alone, and nothing is on stderr", async ({ verb, argv }) => {
    const { exitCode, stdout, stderr } = await home.run([...argv, "--json", "--yes"]);
    expect({ exitCode: exitCode === 4 ? 0 : exitCode, stderr: exitCode === 4 ? "" : stderr }).toEqual({
      exitCode: 0,
      stderr: argv[0] === "demo" ? stderr : "",
    });
    const lines = stdout.split("\n").filter((line) => line !== "");
    expect(lines.length).toBeGreaterThanOrEqual(maybeEmpty.has(verb) ? 0 : 1);
    for (const line of lines) expect(typeof JSON.parse(line)).toBe("object");
  });

  // Once is enough of the demo, which does most of what the others do.
  it.each(rows.filter(({ verb }) => verb !== "demo"))(
    "$verb --quiet --no-color: says nothing but the result, uncoloured",
    async ({ argv }) => {
      const { exitCode, stdout, stderr } = await home.run([...argv, "--quiet", "--no-color", "--yes"]);
      expect([0, 4]).toContain(exitCode);
      expect(stderr.split("\n").filter((line) => line !== "" && !/^(warning|error): /.test(line))).toEqual(
        [],
      );
      expect(stdout + stderr).not.toContain("\u001B");
    },
  );
});

// All on the same site: it stays as it is.
describe("every verb, not done", () => {
  it.each(rows)("$verb --dry-run: makes no writing call, changes no file, asks nothing", async ({ argv }) => {
    const before = await files();
    site.calls.length = 0;
    const { exitCode, stderr } = await site.run([...argv, "--dry-run", "--verbose"]);
    expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
    const writing = site.calls.filter(
      ({ command }) => !/^(Admin)?(Get|Head|List|Describe|Query|Scan|BatchGet)/.test(command),
    );
    expect(writing).toEqual([]);
    expect(await files()).toEqual(before);
  });

  it.each(rows)("$verb --help: shows the global flags and an example", async ({ argv }) => {
    const { exitCode, stdout, stderr } = await site.run([...argv, "--help"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("--dry-run");
    expect(stdout).toMatch(/Examples?:\n {2}(mawps|source)/);
  });

  it.each(rows)(
    "$verb with an unknown flag: exit 2, on stderr only, as JSON when asked",
    async ({ argv }) => {
      const plain = await site.run([...argv, "--no-such-flag"]);
      expect([plain.exitCode, plain.stdout]).toEqual([2, ""]);
      expect(plain.stderr).toContain("--no-such-flag");
      const json = await site.run([...argv, "--no-such-flag", "--json"]);
      expect([json.exitCode, json.stdout]).toEqual([2, ""]);
      expect(JSON.parse(json.stderr)).toMatchObject({ exitCode: 2 });
    },
  );
});

/** Not PutItem: by one whose condition cannot hold it is asked whether the audit trail may be written. The files tell. */
const changing = /^(Put(?!Item)|Update|Delete|Create|Transact|Batch(?!Get))/;

describe("a verb that asks", () => {
  const asked = rows.filter(({ verb }) => asking.has(verb));

  // Of a new store migrations have nothing to ask.
  beforeAll(() => site.look(asBeforeThisTool));

  it.each(asked)("$verb without a terminal: exit 1, names the flag, writes nothing", async ({ argv }) => {
    const before = await files();
    site.calls.length = 0;
    const { exitCode, stdout, stderr } = await site.run(argv);
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("--yes");
    expect(site.calls.filter(({ command }) => changing.test(command))).toEqual([]);
    expect(await files()).toEqual(before);
  });

  it.each(asked)("$verb declined: exit 1, softly, writes nothing", async ({ argv }) => {
    const before = await files();
    site.calls.length = 0;
    const { exitCode, stderr } = await site.run(argv, { answers: [false] });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("declined; nothing was changed");
    expect(site.calls.filter(({ command }) => changing.test(command))).toEqual([]);
    expect(await files()).toEqual(before);
  });

  it.each(asked)("$verb on a protected environment: --yes is not enough, its name is", async ({ argv }) => {
    const home = await site.copy();
    const env = { MAWPS_PROTECTED: "true", MAWPS_NAME: "production" };
    const yes = await home.run([...argv, "--yes"], { env });
    expect(yes.exitCode).toBe(1);
    expect(yes.stderr).toContain("--confirm production");
    const wrong = await home.run([...argv, "--confirm", "staging"], { env });
    expect(wrong.exitCode).toBe(1);
    expect((await home.run(argv, { env, answers: ["prod"] })).exitCode).toBe(1);
    expect((await home.run([...argv, "--confirm", "production"], { env })).exitCode).toBe(0);
    await home.remove();
  });
});
