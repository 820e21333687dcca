import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { expect, it } from "vitest";
import { typed } from "../../../src/aws/dynamodb/plain.ts";
import { pictureOf } from "../../site/picture.ts";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import { makeHome } from "../../support/world.ts";

it("who has no accounts is shown by kind and id, with what is stored of it, and is nobody to export or erase", async () => {
  const home = await makeHome();
  const env = { MAWPS_MODEL: "prework-guide" };
  const run = (...argv: string[]) => home.run(["user", ...argv], { env });
  const team = (id: string, organization: string) =>
    [
      "pre-work-teams",
      {
        PK: `TEAM#${id}`,
        SK: "METADATA",
        GSI1PK: `ORG#${organization}`,
        GSI1SK: `TEAM#${id}`,
        organizationId: organization,
      },
    ] as const;
  const account = (id: string, organizationId: string) =>
    [
      "pre-work-users",
      { PK: `USER#${id}`, SK: "METADATA", email: `${id}@example.com`, organizationId },
    ] as const;
  try {
    await home.run(["setup", "--yes"], { env });
    const items = [
      team("t-1", "o1"),
      team("t-2", "o1"),
      team("t-3", "o12"),
      account("u-1", "o1"),
      account("o1", "o12"),
    ];
    await home.look(async (aws) => {
      for (const [TableName, item] of items)
        await (await aws.dynamodb()).send(new PutItemCommand({ TableName, Item: typed(item).M ?? {} }));
    }, env);
    const shown = await run("show", "organization:o1", "--json");
    expect(JSON.parse(shown.stdout)).toMatchObject({
      userId: "o1",
      kind: "organization",
      account: null,
      items: { teams: 2, accounts: 1 },
    });
    expect((await run("show", "organization:o1")).stdout).toMatch(/^organization +o1\n.*teams +2/ms);
    // The user with the same id is another.
    for (const given of ["o1", "user:o1", "user:o1@example.com"])
      expect(JSON.parse((await run("show", given, "--json")).stdout)).toMatchObject({
        userId: "o1",
        account: { kind: "user" },
        items: { accounts: 1 },
      });

    const before = await pictureOf(home, localPoolId("us-east-1"), env);
    for (const argv of [
      ["export", "organization:o1"],
      ["erase", "organization:o1", "--yes"],
      ["hold", "add", "organization:o1", "--reason", "x"],
    ])
      expect(await run(...argv)).toMatchObject({
        exitCode: 2,
        stdout: "",
        stderr: expect.stringContaining("no accounts of the kind organization"),
      });
    for (const given of ["organization:o2", "user:nobody", "team:t-1"])
      expect(await run("show", given)).toMatchObject({
        exitCode: 1,
        stdout: "",
        stderr: expect.stringContaining("nothing is stored of"),
      });
    expect(await pictureOf(home, localPoolId("us-east-1"), env)).toEqual(before);
  } finally {
    await home.remove();
  }
});
