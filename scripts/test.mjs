// `npm test`: install, build, lint, types, all tests. Every step runs, and the last line counts them all.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install, run } from "./install.mjs";

const report = mkdtempSync(join(tmpdir(), "mawps-test-"));
const counts = { passed: 0, failed: 0, skipped: 0 };

function step(name, ok) {
  console.log(`${ok ? "ok  " : "FAIL"} ${name}`);
  counts[ok ? "passed" : "failed"] += 1;
  return ok;
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
  }
} finally {
  rmSync(report, { recursive: true, force: true });
  process.exitCode = counts.failed === 0 ? 0 : 1;
  const skipped = counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`;
  console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
}
