// `npm test`: install, build, lint, types, all tests. Every step runs, and the last line counts them all.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { install, run } from "./install.mjs";

const report = mkdtempSync(join(tmpdir(), "mawps-test-"));
const counts = { passed: 0, failed: 0, skipped: 0 };

function step(name, ok) {
  console.log(`${ok ? "ok  " : "FAIL"} ${name}`);
  counts[ok ? "passed" : "failed"] += 1;
  return ok;
}

/** Steps that wait for nothing but the processor: most of each uses one core. What they print comes in their order. */
async function sideBySide(commands) {
  const running = Object.entries(commands).map(([name, command]) => [name, collected(...command)]);
  for (const [name, ended] of running) {
    const { ok, printed } = await ended;
    process.stdout.write(printed);
    step(name, ok);
  }
}

function collected(program, ...args) {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    shell: program === "npx" && process.platform === "win32",
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => (printed += text));
  return new Promise((resolve) => {
    child.once("error", ({ message }) => resolve({ ok: false, printed: `${program}: ${message}\n` }));
    child.once("close", (code) => resolve({ ok: code === 0, printed }));
  });
}

/** A line a test that failed, and a file that could not be run: what is read first, where only the end of a log is kept. */
function failuresIn({ testResults }) {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name);
    const failed = assertionResults.filter((test) => test.status === "failed");
    if (status === "failed" && failed.length === 0) return [told(file, message)];
    return failed.map((test) => told(`${file} > ${test.fullName}`, test.failureMessages[0]));
  });
}

function told(what, why = "") {
  return `FAIL ${what}: ${why.split("\n", 1)[0].slice(0, 300)}`;
}

try {
  if (step("install", install()) && step("build", run(process.execPath, ["scripts/build.mjs"]))) {
    await sideBySide({
      lint: ["npx", "oxlint"],
      "import lists": [process.execPath, "scripts/rooms.mjs"],
      format: ["npx", "oxfmt", "--check"],
      "unused code": ["npx", "knip"],
      types: ["npx", "tsc"],
    });
    const json = join(report, "vitest.json");
    const tests = ["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${json}`];
    step("tests", run("npx", [...tests, ...process.argv.slice(2)]));
    const result = JSON.parse(readFileSync(json, "utf8"));
    counts.passed += result.numPassedTests;
    counts.failed += result.numFailedTests;
    counts.skipped += result.numPendingTests;
    for (const line of failuresIn(result)) console.log(line);
  }
} finally {
  rmSync(report, { recursive: true, force: true });
  process.exitCode = counts.failed === 0 ? 0 : 1;
  const skipped = counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`;
  console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
}
