import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Check, runCheck } from "./dynamodb/check.ts";
import { dynamodbChecks } from "./dynamodb/checks.ts";
import { type End, foreignEnds } from "./ends.ts";
import { knownDifferences } from "./known-differences.ts";
import { ownEnds } from "./own-ends.ts";

const names = Object.values(dynamodbChecks).flatMap((checks) => checks.map((check) => check.name));
/** On AWS a table takes some seconds to come, and a restore some minutes. */
const foreignTimeoutMs = 900_000;

test("every check has a name of its own", () => {
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

const foreign = foreignEnds("DYNAMODB");

for (const known of foreign.length === 0 ? ownEnds("dynamodb") : foreign) {
  const differences = known.server === undefined ? {} : (knownDifferences[known.server] ?? {});
  const limits = foreign.length === 0 ? {} : { timeout: foreignTimeoutMs };

  describe(`DynamoDB of ${known.name}`, limits, () => {
    let end: End;
    beforeAll(async () => {
      end = await known.open();
    });
    afterAll(() => end.close());

    describe.each(Object.entries(dynamodbChecks))("%s", (_theme, checks) => {
      const rows = checks.map((check) => {
        const reason = differences[check.name];
        const title = check.name + (reason === undefined ? "" : ` (differs here: ${reason})`);
        return [title, { check, reason }] as const;
      });
      test.for(rows)("%s", async ([, { check, reason }]) => {
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
