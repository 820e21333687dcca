import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { foreignEnds, type End } from "./ends.ts";
import { knownDifferences } from "./known-differences.ts";
import { ownEnds } from "./own-ends.ts";
import { s3Checks } from "./s3/checks.ts";
import { runCheck, type Check } from "./s3/trial.ts";

const names = Object.values(s3Checks).flatMap((checks) => checks.map((check) => check.name));

test("every check has a name of its own", () => {
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

const foreign = foreignEnds("S3");

for (const known of foreign.length === 0 ? ownEnds("s3") : foreign) {
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
        const title = check.name + (reason === undefined ? "" : ` (differs here: ${reason})`);
        return [title, check, reason] as const;
      });
      test.each(rows)("%s", async (_title, check, reason) => {
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
