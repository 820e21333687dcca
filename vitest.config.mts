import { readFileSync, statfsSync } from "node:fs";
import { defineConfig } from "vitest/config";

// Of Node 20, which the SDK speaks of; in the workers and in the global set-up.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

// Each of the processes that the tests start would read that list first, for 50 ms, and none asks a server of the internet.
delete process.env["NODE_EXTRA_CA_CERTS"];

/** Where there is room in memory the tests' folders lie there: a disk takes milliseconds for each file that is synced. */
const memory = "/dev/shm";
if (process.env["TMPDIR"] === undefined && hasRoom()) process.env["TMPDIR"] = memory;

function hasRoom(): boolean {
  if (process.platform !== "linux") return false;
  const [, options = ""] = / \/dev\/shm tmpfs (\S+)/.exec(readFileSync("/proc/mounts", "utf8")) ?? [];
  if (!options.startsWith("rw") || options.includes("noexec")) return false;
  const { bavail, bsize } = statfsSync(memory);
  const freeBytes = Math.min(bavail * bsize, process.availableMemory());
  return freeBytes > 8 * 2 ** 30;
}

/** As the bundler gives it: the text of the file. */
const sqlFiles = {
  name: "sql-files",
  transform: (text: string, id: string) =>
    id.endsWith(".sql") ? `export default ${JSON.stringify(text)}` : undefined,
};

export default defineConfig({
  plugins: [sqlFiles],
  test: {
    include: ["test/**/*.test.ts", "packages/*/test/**/*.test.ts"],
    globalSetup: "test/support/new-store.ts",
    pool: "forks",
    // Modules are read once for each worker, not once for each file: a fifth of the processor's time. What a test sets it takes back.
    isolate: false,
    // CI has two cores; by default one would be left alone. A third at the same time makes each of them slower, and none sooner.
    maxWorkers: 2,
    // Most of what a test makes is garbage soon; with the default of 16 MiB a tenth of the time goes into collecting it.
    execArgv: ["--max-semi-space-size=64"],
    // What a passing test prints (the SDK's remarks, mostly) helps nobody.
    silent: "passed-only",
    // What is waited for comes in its own time on two busy cores; the default is one second.
    expect: { poll: { timeout: 300_000 } },
    // The longest take a minute on two free cores; that a test hangs is told late, that a machine is slow is no failure.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    coverage: {
      include: ["src/**/*.ts", "packages/*/src/**/*.ts"],
      reporter: ["text-summary", "html"],
    },
  },
});
