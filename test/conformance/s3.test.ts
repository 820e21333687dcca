import assert from "node:assert/strict";
import { afterAll, beforeAll, describe, test } from "vitest";
import { foreignEnds, type End } from "./ends.ts";
import { knownDifferences } from "./known-differences.ts";
import { s3Checks } from "./s3/checks.ts";
import { runCheck, type Check } from "./s3/trial.ts";

const names = Object.values(s3Checks).flatMap((checks) => checks.map((check) => check.name));

test("every check has a name of its own", () => {
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});

for (const known of foreignEnds("S3")) {
  const differences = known.server === undefined ? {} : (knownDifferences[known.server] ?? {});

  describe(`S3 of ${known.name}`, () => {
    let end: End;
    beforeAll(async () => {
      end = await known.open();
    });
    afterAll(() => end.close());

    describe.each(Object.entries(s3Checks))("%s", (_theme, checks) => {
      for (const check of checks) {
        const reason = differences[check.name];
        if (reason === undefined) test(check.name, () => runCheck(check, end));
        else test(`${check.name} (differs here: ${reason})`, () => stillDiffers(check, end));
      }
    });
  });
}

async function stillDiffers(check: Check, end: End): Promise<void> {
  const failed = await runCheck(check, end).then(
    () => false,
    () => true,
  );
  assert.ok(failed, "this known difference is gone: remove its entry from known-differences.ts");
}
