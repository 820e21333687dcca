import { existsSync } from "node:fs";
import { delimiter, join, relative } from "node:path";
import { homedir, hostname, userInfo } from "node:os";
import { addAbortSignal } from "node:stream";
import { visible, visiblePainted } from "./output/text.ts";
import type { Output, Prompts, World } from "./world.ts";

/**
 * The world as it is. `signal` is aborted by whoever listens to the process's signals; `saveWorker` is known to the bundle
 * alone.
 */
export function realWorld(signal: AbortSignal, saveWorker?: string): World {
  let stderr: Output | undefined;
  const world: World = {
    // Looked at late: making it takes a millisecond, and few commands read from it. Ctrl-C ends the reading of a pipe.
    stdin: {
      get isTTY() {
        return process.stdin.isTTY;
      },
      [Symbol.asyncIterator]: () => addAbortSignal(signal, process.stdin)[Symbol.asyncIterator](),
    },
    stdout: process.stdout,
    // Looked at late as well.
    get stderr() {
      return (stderr ??= quietStderr());
    },
    env: process.env,
    // Asked for late: in a folder that was removed, and without an account, the system refuses to tell.
    get cwd() {
      return process.cwd();
    },
    get home() {
      return homedir();
    },
    platform: process.platform,
    get command() {
      return commandOf(process.argv[1] ?? "", process.env["PATH"] ?? "");
    },
    nodeVersion: process.versions.node,
    prompts: prompts(signal),
    signal,
    account,
    now: () => new Date(),
    // The global, not node:crypto: it loads nothing before it is used.
    randomHex: (bytes) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex"),
    machine: {
      get host() {
        return hostname();
      },
      pid: process.pid,
      isAlive,
    },
    saveWorker,
    async openUrl(url) {
      const { spawn } = await import("node:child_process");
      const [command, ...before] =
        process.platform === "darwin"
          ? ["open"]
          : process.platform === "win32"
            ? ["rundll32", "url.dll,FileProtocolHandler"]
            : ["xdg-open"];
      await new Promise<void>((resolve, reject) => {
        const child = spawn(command ?? "xdg-open", [...before, url], { stdio: "ignore", detached: true });
        // It ends at once when it finds no browser; where it becomes the browser, it does not end.
        const given = setTimeout(resolve, 1500);
        child.once("exit", (status) => {
          clearTimeout(given);
          if (status === 0) resolve();
          else reject(Object.assign(new Error(`it ended with ${status ?? "a signal"}`), { code: "ENOENT" }));
        });
        child.once("error", (error) => {
          clearTimeout(given);
          reject(error);
        });
        child.unref();
      });
    },
    async connect(config, access) {
      const { connectTarget } = await import("./target.ts");
      return connectTarget(config, access, world);
    },
  };
  return world;
}

/** Notes that nobody can read are no reason to stop. */
function quietStderr(): Output {
  return process.stderr.on("error", () => undefined);
}

function commandOf(program: string, path: string): string {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  const isFound = folders.some((folder) => existsSync(join(folder, "mawps")));
  return isFound ? "mawps" : `node ${relative("", program)}`;
}

/** Questions go to stderr: stdout is for the result alone. Each prompt is loaded when it is first needed. */
function prompts(signal: AbortSignal): Prompts {
  const context = () => ({ input: process.stdin, output: process.stderr, signal });
  return {
    async confirm(message, fallback) {
      const { confirm } = await import("./prompts.ts");
      return confirm({ message: visiblePainted(message, { color: true }), default: fallback }, context());
    },
    async input(message, { fallback, check } = {}) {
      const { input } = await import("./prompts.ts");
      return input(
        {
          message: visible(message),
          default: fallback,
          validate: check,
        },
        context(),
      );
    },
    async password(message) {
      const { password } = await import("./prompts.ts");
      return password({ message: visible(message) }, context());
    },
    async select(message, choices) {
      const { select } = await import("./prompts.ts");
      const shown = choices.map(({ value, name }) => ({ value, name: visible(name) }));
      return select({ message: visible(message), choices: shown }, context());
    },
  };
}

/** A container may run as a number that no user of the system has. */
function account(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "none"}`;
  }
}

/** Signal 0 asks only; a process of somebody else lives, too (EPERM). */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
