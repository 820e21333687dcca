import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  access,
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { run } from "./programs.ts";

const root = join(import.meta.dirname, "..", "..");
const binary = join(root, "bin", "mawps.js");

let folder: string;
let env: Record<string, string>;
let children: ChildProcess[];
let servers: Server[];

beforeAll(async () => {
  await access(join(root, "dist", "start.js")).catch(() => {
    throw new Error("there is no dist: npm run build first");
  });
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mawps-binary-"));
  env = { PATH: process.env["PATH"] ?? "", HOME: folder, XDG_CACHE_HOME: join(folder, "cache") };
  children = [];
  servers = [];
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const server of servers) server.close();
  await rm(folder, { recursive: true, maxRetries: 5 });
});

function start(...args: string[]) {
  const child = spawn(process.execPath, [binary, ...args], { env, cwd: folder });
  children.push(child);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (data: string) => (stderr += data));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stderr }));
  return { child, ended };
}

function mawps(...args: string[]) {
  return run(process.execPath, [binary, ...args], { env, cwd: folder });
}

/** A command line of the shell on a terminal of its own, which has no size until it is given one. */
function onTerminal(command: string) {
  const child = spawn("/usr/bin/script", ["-qec", command, "/dev/null"], { env, cwd: folder });
  children.push(child);
  let screen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text));
  return {
    screen: () => screen,
    shows: async (text: string) => {
      while (!screen.includes(text)) await once(child.stdout, "data");
    },
    type: (keys: string) => void child.stdin.write(keys),
    ended: once(child, "close").then(([code]) => code as number | null),
  };
}

/** A server that takes connections and never says a word. */
async function silentServer(): Promise<{ url: string; called: Promise<unknown> }> {
  const server = createServer();
  servers.push(server);
  const called = once(server, "connection");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, called };
}

describe("the binary", () => {
  it("names our files and lines in the stack of a bug, the first time and from compiled code that was kept", async () => {
    await writeFile(
      join(folder, "broken.cjs"),
      'process.stdout.write = () => { throw new TypeError("broken"); };',
    );
    const source = (await readFile(join(root, "src", "commands", "config.ts"), "utf8")).split("\n");
    for (const _time of ["first", "kept"]) {
      const args = ["-r", join(folder, "broken.cjs"), binary, "config", "show"];
      const { code, stderr } = await run(process.execPath, args, { env, cwd: folder });
      expect([code, stderr]).toEqual([1, expect.stringContaining("this is a bug in mawps")]);
      const [, line] = /src\/commands\/config\.ts:(\d+):/.exec(stderr) ?? [];
      expect(source[Number(line) - 1]).toContain("await run.printRows(rows");
      expect(stderr).toMatch(/src\/start\.ts:\d+:/);
    }
  });

  /** The chunks that a command runs, and all of those that hold code of this kind. */
  async function chunksOf(commands: readonly (readonly string[])[], kind: RegExp) {
    const seen = join(folder, "seen.txt");
    // Every chunk is read as a file, where it is compiled afresh.
    const spy = `const fs = require("node:fs"); const read = fs.readFileSync;
      fs.readFileSync = (path, ...rest) => { fs.appendFileSync(${JSON.stringify(seen)}, String(path) + "\\n"); return read(path, ...rest); };`;
    await writeFile(join(folder, "spy.cjs"), spy);
    for (const command of commands) {
      const args = ["--require", join(folder, "spy.cjs"), binary, ...command];
      expect((await run(process.execPath, args, { env, cwd: folder })).code).toBe(0);
    }
    const dist = join(root, "dist");
    const read = (await readFile(seen, "utf8")).split("\n").filter((path) => path.startsWith(dist));
    const loaded = [...new Set(read)].filter((path) => path.endsWith(".js"));
    expect(loaded.length).toBeGreaterThan(1);
    const all = (await readdir(dist)).filter((name) => name.endsWith(".js")).map((name) => join(dist, name));
    const texts = await Promise.all(all.map(async (path) => [path, await readFile(path, "utf8")] as const));
    const ofKind = texts.filter(([, text]) => kind.test(text)).map(([path]) => path);
    expect(ofKind.length).toBeGreaterThan(0);
    return { loaded, ofKind };
  }

  it("loads nothing of the AWS SDK for --help and --version", async () => {
    const { loaded, ofKind } = await chunksOf([["--help"], ["--version"]], /smithy|aws-sdk/i);
    expect(loaded.filter((path) => ofKind.includes(path))).toEqual([]);
  });

  it("loads no ciphers for backups that are not encrypted", async () => {
    const { loaded, ofKind } = await chunksOf([["backup", "create"], ["doctor"]], /AGE-SECRET-KEY-1"/);
    expect(loaded.filter((path) => ofKind.includes(path))).toEqual([]);
  });

  it("loads no TLS for what works on the local store", async () => {
    const spy = `process.on("exit", () => require("node:fs").appendFileSync("loaded.txt", process.moduleLoadList.join("\\n") + "\\n"));`;
    await writeFile(join(folder, "spy.cjs"), spy);
    for (const args of [["setup"], ["backup", "create"], ["retention", "plan"]]) {
      const spied = ["--require", join(folder, "spy.cjs"), binary, ...args];
      expect((await run(process.execPath, spied, { env, cwd: folder })).code).toBe(0);
    }
    const loaded = (await readFile(join(folder, "loaded.txt"), "utf8")).split("\n");
    expect(loaded).toContain("NativeModule fs");
    expect(loaded).not.toContain("NativeModule tls");
  });

  describe("the code that is kept", () => {
    const kept = () => join(folder, "cache", "mawps", `${process.version}-${process.arch}`);
    const isKept = async () =>
      (await readdir(kept()).catch(() => [])).some((name) => name.endsWith(".mawps"));
    // Later versions keep it themselves, and leave out what is small.
    const isHere = process.versions.node.startsWith("20.");

    it.runIf(isHere)("is the user's own, and of its own build alone", async () => {
      expect((await mawps("--version")).code).toBe(0);
      expect([(await stat(kept())).mode & 0o777, await isKept()]).toEqual([0o700, true]);
    });

    it.runIf(isHere)("of one command is what another one begins with", async () => {
      expect((await mawps("config", "show")).code).toBe(0);
      const { loaded, ofKind } = await chunksOf([["local", "path"]], /_outputHelpIfRequested/);
      expect(loaded.filter((path) => ofKind.includes(path))).toEqual([]);
      expect((await readdir(kept())).map((name) => name.replace(/^\w+\./, "")).toSorted()).toEqual([
        "config.show",
        "local.path",
      ]);
    });

    it.runIf(isHere)(
      "is not that of the version before, whose files had the same sizes and times",
      async () => {
        await cp(join(root, "bin"), join(folder, "bin"), { recursive: true });
        await cp(join(root, "dist"), join(folder, "dist"), { recursive: true, preserveTimestamps: true });
        const copy = () =>
          run(process.execPath, [join(folder, "bin", "mawps.js"), "--version"], { env, cwd: folder });
        const before = (await copy()).stdout.trim();
        expect([(await copy()).stdout.trim(), await isKept()]).toEqual([before, true]);
        const after = before.replace(/.$/, "!");
        let changed = 0;
        for (const name of await readdir(join(folder, "dist"))) {
          const path = join(folder, "dist", name);
          const { atime, mtime } = await stat(path);
          const text = await readFile(path, "utf8");
          const made = text
            .replace(/^"[0-9a-f]{16}";/, '"0123456789abcdef";')
            .replace(`"${before}"`, `"${after}"`);
          if (made === text) continue;
          changed += 1;
          await writeFile(path, made);
          await utimes(path, atime, mtime);
        }
        expect([changed > 0, (await copy()).stdout.trim()]).toEqual([true, after]);
      },
    );

    it.runIf(process.platform === "linux").each([
      { name: "others may write to", make: async (path: string) => chmod(path, 0o777) },
      {
        name: "is a link to another place",
        async make(path: string) {
          await rm(path, { recursive: true });
          await mkdir(join(folder, "elsewhere"), { mode: 0o700 });
          await symlink(join(folder, "elsewhere"), path);
        },
      },
    ])("is neither run nor written in a folder that $name", async ({ make }) => {
      await mkdir(kept(), { recursive: true, mode: 0o700 });
      await make(kept());
      await writeFile(join(kept(), "mine.txt"), "mine");
      expect((await mawps("--version")).code).toBe(0);
      expect(await readdir(kept())).toEqual(["mine.txt"]);
    });

    it.runIf(isHere && process.platform === "linux").each([
      { name: "that others may write to", make: async (path: string) => chmod(path, 0o777), fits: false },
      {
        name: "that all write to, with a sticky bit",
        make: async (path: string) => chmod(path, 0o1777),
        fits: true,
      },
      ...(process.getuid?.() === 0
        ? [
            {
              name: "of another user",
              make: async (path: string) => chown(path, 65_534, 65_534),
              fits: false,
            },
          ]
        : []),
    ])("is kept below a folder $name: $fits", async ({ make, fits }) => {
      for (const above of [join(kept(), ".."), join(kept(), "..", "..")]) {
        await rm(join(folder, "cache"), { recursive: true, force: true });
        await mkdir(kept(), { recursive: true, mode: 0o700 });
        await make(above);
        expect((await mawps("--version")).code).toBe(0);
        expect([above, await isKept()]).toEqual([above, fits]);
      }
    });

    it.runIf(isHere && process.getuid?.() === 0).each([
      { name: "another user's file", make: async (path: string) => chown(path, 65_534, 65_534) },
      { name: "a file that others may write to", make: async (path: string) => chmod(path, 0o666) },
      {
        name: "a link",
        async make(path: string) {
          await rename(path, join(folder, "elsewhere"));
          await symlink(join(folder, "elsewhere"), path);
        },
      },
    ])("is not run from $name, and made anew", async ({ make }) => {
      await mawps("--version");
      const [name = ""] = await readdir(kept());
      await make(join(kept(), name));
      expect((await mawps("--version")).code).toBe(0);
      const { uid, mode } = await lstat(join(kept(), name));
      expect([uid, mode]).toEqual([process.getuid?.(), 0o100600]);
    });

    it.runIf(process.getuid?.() === 0)("is not run from another user's folder", async () => {
      await mkdir(kept(), { recursive: true, mode: 0o700 });
      await chown(kept(), 65_534, 65_534);
      expect((await mawps("--version")).code).toBe(0);
      expect(await readdir(kept())).toEqual([]);
    });

    it.runIf(process.platform === "linux")("is done without where no folder can be made", async () => {
      env["XDG_CACHE_HOME"] = env["HOME"] = "/proc/none";
      expect((await mawps("--version")).code).toBe(0);
      await writeFile(join(folder, "mawps.config.json"), "{}");
      const trusted = await mawps("config", "trust");
      expect([trusted.code, trusted.stderr]).toEqual([1, expect.stringContaining("/proc/none")]);
    });
  });

  it.each([
    { argv: ["--version"], code: 0 },
    { argv: ["hero", "show"], code: 0 },
    { argv: ["hero", "rollback"], code: 1 },
    { argv: ["hero", "sett"], code: 2 },
    { argv: ["doctor", "--target", "aws", "--endpoint-url", "http://127.0.0.1:1"], code: 4 },
  ])("ends with $code after $argv", async ({ argv, code }) => {
    env["AWS_ACCESS_KEY_ID"] = env["AWS_SECRET_ACCESS_KEY"] = "test";
    expect((await mawps(...argv)).code).toBe(code);
  });

  it("brings many documents there and back, with another thread to save them", async () => {
    const names = Array.from({ length: 100 }, (_, number) => `text-${number}.txt`);
    const text = (name: string) => `${name} `.repeat(3000);
    await Promise.all(names.map((name) => writeFile(join(folder, name), text(name))));
    const put = await mawps(
      "doc",
      "upload",
      "user-1",
      ...names,
      "--type",
      "cv",
      "--create-profile",
      "--no-scan",
    );
    expect([put.code, put.stderr]).toEqual([0, expect.not.stringContaining("error")]);
    const out = join(folder, "out");
    await mkdir(out);
    await writeFile(join(out, "text-7.txt"), "mine");
    expect((await mawps("doc", "get", "user-1", "--all", "-o", "out")).code).toBe(3);
    expect((await readdir(out)).toSorted()).toEqual(names.toSorted());
    const there = await Promise.all(names.map((name) => readFile(join(out, name), "utf8")));
    expect(there).toEqual(names.map((name, at) => (at === 7 ? "mine" : text(name))));
  });

  it("ends quietly when the reader goes away", async () => {
    const { child, ended } = start("config", "show", "--json");
    child.stdout.destroy();
    expect(await ended).toEqual({ code: 0, stderr: "" });
  });

  it.runIf(process.platform === "linux")("says in one line that a full device took no result", async () => {
    const command = '"$0" "$@" > /dev/full';
    const args = ["-c", command, process.execPath, binary, "config", "show"];
    const { code, stderr } = await run("/bin/bash", args, { env, cwd: folder });
    expect([code, stderr]).toEqual([
      1,
      "error: cannot write to standard output: no space left on the device\n",
    ]);
  });

  it("ends with 130 at Ctrl-C while a server stays silent", async () => {
    env["AWS_ACCESS_KEY_ID"] = env["AWS_SECRET_ACCESS_KEY"] = "test";
    for (const verb of [["hero", "rollback"], ["setup"], ["doctor"]]) {
      const { url, called } = await silentServer();
      const { child, ended } = start(...verb, "--target", "aws", "--endpoint-url", url);
      await called;
      child.kill("SIGINT");
      const { code, stderr } = await ended;
      expect([verb, code]).toEqual([verb, 130]);
      expect(stderr).toContain("interrupted; run the same command again to go on");
    }
  });

  it.runIf(process.platform === "linux")("shows no spinner on a terminal without a size", async () => {
    const { ended, screen } = onTerminal(`"${process.execPath}" "${binary}" backup create`);
    expect(await ended).toBe(0);
    expect(screen()).toMatch(/reading\r\n[^]*backup \d{8}T/);
  });

  it.runIf(process.platform === "linux")("tidies up at Ctrl-C on a terminal, behind a spinner", async () => {
    expect((await mawps("backup", "create")).code).toBe(0);
    env["TMPDIR"] = folder;
    const drill = `"${process.execPath}" "${binary}" backup drill --check 'echo at work; sleep 600'`;
    const { ended, screen, shows, type } = onTerminal(`stty cols 80 rows 24; exec ${drill}`);
    await shows("at work");
    const isTrial = (name: string) => name.startsWith("mawps-drill-");
    expect((await readdir(folder)).filter(isTrial)).toHaveLength(1);
    type("\u0003");
    expect(await ended).toBe(130);
    expect(screen()).toContain("interrupted; run the same command again to go on");
    expect((await readdir(folder)).filter(isTrial)).toEqual([]);
  });

  it.runIf(process.platform === "linux")("is interrupted by Ctrl-D at a question", async () => {
    expect((await mawps("user", "create", "max@example.com")).code).toBe(0);
    const { ended, screen, shows, type } = onTerminal(
      `"${process.execPath}" "${binary}" user disable max@example.com`,
    );
    await shows("(y/N)");
    type("\u0004");
    expect(await ended).toBe(130);
    expect(screen()).toContain("interrupted at the question; nothing of what it asks for was done");
    expect(screen()).not.toContain("again");
    const shown = await mawps("user", "show", "max@example.com", "--json");
    expect(JSON.parse(shown.stdout)).toMatchObject({ account: { enabled: true } });
  });

  it("serves until SIGTERM, then ends with 0 and leaves no trace of it", async () => {
    const { child, ended } = start("local", "serve", "--port", "0", "--json");
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const { endpoint } = JSON.parse(line.toString()) as { endpoint: string };
    expect((await mawps("hero", "show")).stderr).toContain(`served at ${endpoint}`);
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
    await expect(access(join(folder, ".mawps", "serve.json"))).rejects.toThrow("ENOENT");
  });
});
