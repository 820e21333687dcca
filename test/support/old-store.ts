import type { Aws } from "../../src/aws/clients.ts";
import { transact } from "../../src/aws/dynamodb/transact.ts";
import { newStoreKey } from "../../src/migrations/state.ts";
import { defaultNames } from "../../src/model/mawps.ts";

/** Makes a store one that was there before this tool: nobody knows whether there is anything to migrate. */
export async function asBeforeThisTool(aws: Aws): Promise<void> {
  await transact(aws, [{ kind: "delete", table: defaultNames.tables.migrations, key: newStoreKey }]);
}
