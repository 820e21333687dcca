import assert from "node:assert/strict";
import { afterAll, beforeAll, describe, test } from "vitest";
import { foreignEnds, type End } from "./ends.ts";
import { knownDifferences } from "./known-differences.ts";
import { s3Checks } from "./s3/checks.ts";
import { runCheck } from "./s3/trial.ts";

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

    for (const [theme, checks] of Object.entries(s3Checks)) {
      describe(`${theme}`, () => {
        for (const check of checks) {
          const reason = differences[check.name];
          test(`${check.name}${reason === undefined ? "" : ` (differs here: ${reason})`}`, async () => {
            if (reason === undefined) {
              await runCheck(check, end);
              return;
            }
            const failed = await runCheck(check, end).then(
              () => false,
              () => true,
            );
            assert.ok(failed, "this known difference is gone: remove its entry from known-differences.ts");
          });
        }
      });
    }
  });
}
