// `npm test`: install, build, lint, types, all tests. Every step runs, and the last line counts them all.
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
    step("lint", run("npx", ["oxlint"]));
    step("import lists", run(process.execPath, ["scripts/rooms.mjs"]));
    step("format", run("npx", ["oxfmt", "--check"]));
    step("unused code", run("npx", ["knip"]));
    step("types", run("npx", ["tsc"]));
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
