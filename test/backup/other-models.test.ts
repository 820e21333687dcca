import {
  BatchWriteItemCommand,
  PutItemCommand,
  ScanCommand,
  type AttributeValue,
} from "@aws-sdk/client-dynamodb";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listObjects } from "../../src/aws/s3/listing.ts";
import { putObject } from "../../src/aws/s3/objects.ts";
import { makeHome, type TestHome } from "../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const at = (store: string) => ({ MAWPS_HOME: join(home.folder, store), MAWPS_MODEL: "prework-guide" });
const table = "pre-work-teams";
const bucket = "pre-work-media-uploads";
const key = "submissions/s-1/u-1/scan.pdf";
const items: Record<string, AttributeValue>[] = [
  { PK: { S: "TEAM#t-1" }, SK: { S: "METADATA" }, GSI1PK: { S: "ORG#o-1" }, memberCount: { N: "1" } },
  { PK: { S: "TEAM#t-1" }, SK: { S: "MEMBER#u-1" }, GSI2PK: { S: "USER#u-1" }, GSI2SK: { S: "TEAM#t-1" } },
];

/** An entry of a document, whose file is there for one of them alone. */
const media = (id: string, s3Key: string) => ({
  PK: { S: `MEDIA#${id}` },
  SK: { S: "METADATA" },
  GSI1PK: { S: "USER#u-1" },
  GSI1SK: { S: `MEDIA#${id}` },
  fileName: { S: "scan.pdf" },
  s3Key: { S: s3Key },
  uploadStatus: { S: "completed" },
});

/** Looks at a store with the tables of whichever model has made it. */
async function stateOf(store: string, name = table) {
  return home.look(async (aws) => {
    const { Items = [] } = await (await aws.dynamodb()).send(new ScanCommand({ TableName: name }));
    const keys: string[] = [];
    for await (const page of listObjects(aws, { bucket })) keys.push(...page.objects.map((each) => each.key));
    return { items: Items, files: keys.filter((each) => !each.startsWith("audit/")) };
  }, at(store));
}

describe("a backup of a site that is not MAWPS", () => {
  it("holds every kind of thing of its model, comes back as it was, stands a drill, and is taken for no other site's", async () => {
    const run = (store: string, ...argv: string[]) =>
      home.run([...argv, "--repo", join(home.folder, "backups"), "--yes", "--json"], { env: at(store) });
    await home.look(async (aws) => {
      const requests = items.map((Item) => ({ PutRequest: { Item } }));
      const entries = [{ PutRequest: { Item: media("m-1", key) } }];
      const RequestItems = { [table]: requests, "pre-work-media": entries };
      await (await aws.dynamodb()).send(new BatchWriteItemCommand({ RequestItems }));
      await putObject(aws, { bucket, key, body: Buffer.from("scanned") });
    }, at("one"));

    const created = await run("one", "backup", "create");
    expect([created.exitCode, created.stderr]).toEqual([0, ""]);
    expect(JSON.parse(created.stdout)).toMatchObject({ items: 3, missing: [] });

    const drilled = await run("one", "backup", "drill");
    expect(drilled.exitCode).toBe(0);
    expect(JSON.parse(drilled.stdout)).toMatchObject({ outcome: "ok" });

    const restored = await run("two", "backup", "restore", "latest");
    expect([restored.exitCode, restored.stderr]).toEqual([0, ""]);
    const state = await stateOf("two");
    expect(state.items).toEqual(expect.arrayContaining(items));
    expect(state).toMatchObject({ items: { length: 2 }, files: [key] });

    const prefixed = await run("two", "backup", "restore", "latest", "--into-prefix", "trial-");
    expect(prefixed.exitCode).toBe(0);
    expect((await stateOf("two", `trial-${table}`)).items).toEqual(expect.arrayContaining(items));

    for (const verb of ["restore", "drill"]) {
      const argv = ["backup", verb, "latest", "--repo", join(home.folder, "backups"), "--yes"];
      const other = await home.run(argv);
      expect(other.exitCode).toBe(1);
      expect(other.stderr).toContain(
        "is of prework-guide, and the model here is that of MAWPS; nothing was changed",
      );
    }

    const lost = media("m-2", "submissions/s-1/u-1/lost.pdf");
    await home.look(async (aws) => {
      await (await aws.dynamodb()).send(new PutItemCommand({ TableName: "pre-work-media", Item: lost }));
    }, at("one"));
    expect((await run("one", "backup", "create")).exitCode).toBe(0);
    const failed = await run("one", "backup", "drill");
    expect(failed.exitCode).toBe(4);
    expect(JSON.parse(failed.stdout)).toMatchObject({
      faults: [{ what: "document m-2 of u-1", why: "its object is missing" }],
    });
  });
});
