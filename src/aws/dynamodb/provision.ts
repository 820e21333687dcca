import type { TableCapacity } from "../../model/declaration.ts";
import type { Aws } from "../clients.ts";
import type { WaitOptions } from "../setting.ts";
import { readTable, unitsOf, updateTable } from "./table-settings.ts";

/** Gives a table on demand, and its indexes, the least of their units; one that has units keeps what it was scaled to. */
export async function provision(
  aws: Aws,
  { name, capacity }: { readonly name: string; readonly capacity: TableCapacity },
  wait: WaitOptions = {},
): Promise<void> {
  const stored = await readTable(aws, name, wait.signal);
  if (stored?.billing !== "on-demand") return;
  const units = unitsOf(capacity);
  const indexes = stored.indexes.map((index) => ({ Update: { IndexName: index.name, ...units } }));
  await updateTable(
    aws,
    {
      TableName: name,
      BillingMode: "PROVISIONED",
      ...units,
      ...(indexes.length === 0 ? {} : { GlobalSecondaryIndexUpdates: indexes }),
    },
    wait,
  );
}
