// A served store with many profiles.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { environment, mawps, serveStore, temporaryFolder } from "./measure.mjs";

export const profileTable = "mawps-user-profiles";

/** `item(n)` in DynamoDB's typed form, for `count` users; answers the environment in which `mawps` and `aws` work on it. */
export async function servedProfiles(count, item) {
  const home = join(temporaryFolder(), "store");
  const { status, stderr } = spawnSync(mawps[0], [mawps[1], "setup", "--yes", "--quiet"], {
    env: environment({ MAWPS_HOME: home }),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  const served = await serveStore(home);
  const { endpoint, region, accessKeyId, secretAccessKey } = served;
  const client = new DynamoDBClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  for (let first = 0; first < count; first += 25) {
    const items = Array.from({ length: Math.min(25, count - first) }, (_, at) => item(first + at));
    const requests = items.map((Item) => ({ PutRequest: { Item } }));
    const { UnprocessedItems } = await client.send(
      new BatchWriteItemCommand({ RequestItems: { [profileTable]: requests } }),
    );
    if (Object.keys(UnprocessedItems ?? {}).length > 0) throw new Error("the store left items out");
  }
  client.destroy();
  const env = { ...served.env, MAWPS_TARGET: "aws", AWS_ENDPOINT_URL: endpoint };
  return { env, endpoint, stop: () => served.stop() };
}
