import { expect, test } from "vitest";
import { connect } from "../../src/aws/clients.ts";

test("keys of one region are asked by one client, whatever else asks", async () => {
  const aws = connect({ region: "eu-central-1" });
  const [first, again, elsewhere] = await Promise.all(
    ["eu-west-1", "eu-west-1", "us-east-1"].map((region) => aws.kms(region)),
  );
  expect(again).toBe(first);
  expect(await first?.config.region()).toBe("eu-west-1");
  expect(await elsewhere?.config.region()).toBe("us-east-1");
  aws.close();
});
