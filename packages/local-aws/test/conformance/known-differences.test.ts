import { expect, test } from "vitest";
import { cognitoChecks } from "./cognito/checks.ts";
import { dynamodbChecks } from "./dynamodb/checks.ts";
import { knownDifferences } from "./known-differences.ts";
import { s3Checks } from "./s3/checks.ts";

test.each(Object.entries(knownDifferences))("every difference of %s is that of a check", (_server, named) => {
  const themes = [
    ...Object.values(s3Checks),
    ...Object.values(dynamodbChecks),
    ...Object.values(cognitoChecks),
  ];
  const names = new Set(themes.flatMap((checks) => checks.map(({ name }) => name)));
  expect(names.size).toBeGreaterThan(300);
  expect(Object.keys(named).filter((name) => !names.has(name))).toEqual([]);
});
