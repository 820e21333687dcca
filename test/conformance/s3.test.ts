import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { foreignEnds, type End } from "./ends.ts";
import { knownDifferences } from "./known-differences.ts";
import { s3Checks } from "./s3/checks.ts";
import { runCheck, type Check } from "./s3/trial.ts";

const names = Object.values(s3Checks).flatMap((checks) => checks.map((check) => check.name));

test("every check has a name of its own", () => {
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
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
      const rows = checks.map((check) => {
        const reason = differences[check.name];
        return {
          check,
          reason,
          title: check.name + (reason === undefined ? "" : ` (differs here: ${reason})`),
        };
      });
      test.for(rows)("$title", async ({ check, reason }) => {
        const failure = await failureOf(check, end);
        if (failure !== undefined && reason === undefined) throw failure;
        expect(failure === undefined, "gone: remove its entry from known-differences.ts").toBe(
          reason === undefined,
        );
      });
    });
  });
}

function failureOf(check: Check, end: End): Promise<Error | undefined> {
  return runCheck(check, end).then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown))),
  );
}
