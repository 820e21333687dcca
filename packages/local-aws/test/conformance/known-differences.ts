import { ministackCognito } from "./cognito/ministack.ts";
import { motoCognito } from "./cognito/moto.ts";
import { ministackDynamoDb } from "./dynamodb/ministack.ts";
import { motoDynamoDb } from "./dynamodb/moto.ts";
import { ministackS3 } from "./s3/ministack.ts";
import { motoS3 } from "./s3/moto.ts";

/**
 * Where a named foreign server does not do what AWS does: check name to the reason. Such a check still runs
 * and has to fail; one that passes makes the run fail, so that no entry outlives its server's fault.
 * Our own ends have no entry here.
 */
export const knownDifferences: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  moto: { ...byName(motoS3), ...byName(motoDynamoDb), ...byName(motoCognito) },
  ministack: { ...byName(ministackS3), ...byName(ministackDynamoDb), ...byName(ministackCognito) },
};

function byName(differences: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(differences).flatMap(([reason, names]) => names.map((name) => [name, reason])),
  );
}
