import { UpdateItemCommand, type UpdateItemCommandInput } from "@aws-sdk/client-dynamodb";
import { expect } from "vitest";
import { type Check, type Item, number, put, type Scope, text } from "./check.ts";

type Update = Omit<UpdateItemCommandInput, "TableName" | "Key">;

const Key = { pk: text("a") };

/** What an update returns. */
export const updateReturnChecks: readonly Check[] = [
  {
    name: "returns the whole item before or after, or nothing",
    async run(scope) {
      const change = (ReturnValues: UpdateItemCommandInput["ReturnValues"]) =>
        returned(
          scope,
          { former: number(1), other: text("x") },
          {
            UpdateExpression: "SET former = :two",
            ExpressionAttributeValues: { ":two": number(2) },
            ReturnValues,
          },
        );
      expect(await change(undefined)).toBeUndefined();
      expect(await change("NONE")).toBeUndefined();
      expect(await change("ALL_OLD")).toEqual({ ...Key, former: number(1), other: text("x") });
      expect(await change("ALL_NEW")).toEqual({ ...Key, former: number(2), other: text("x") });
    },
  },
  {
    name: "returns only what was updated, before or after",
    async run(scope) {
      const before = { set: number(1), gone: text("x"), other: text("y") };
      const update = {
        UpdateExpression: "SET #set = :two, fresh = :two REMOVE gone",
        ExpressionAttributeNames: { "#set": "set" },
        ExpressionAttributeValues: { ":two": number(2) },
      };
      expect(await returned(scope, before, { ...update, ReturnValues: "UPDATED_OLD" })).toEqual({
        set: number(1),
        gone: text("x"),
      });
      expect(await returned(scope, before, { ...update, ReturnValues: "UPDATED_NEW" })).toEqual({
        set: number(2),
        fresh: number(2),
      });
      expect(await returned(scope, undefined, { ...update, ReturnValues: "UPDATED_OLD" })).toBeUndefined();
    },
  },
  {
    name: "returns of a nested path only that path",
    async run(scope) {
      const before = { m: { M: { a: number(1), l: { L: [number(1), number(2), number(3)] } } } };
      const update = {
        UpdateExpression: "SET m.a = :nine, m.l[1] = :nine",
        ExpressionAttributeValues: { ":nine": number(9) },
      };
      expect(await returned(scope, before, { ...update, ReturnValues: "UPDATED_OLD" })).toEqual({
        m: { M: { a: number(1), l: { L: [number(2)] } } },
      });
      expect(await returned(scope, before, { ...update, ReturnValues: "UPDATED_NEW" })).toEqual({
        m: { M: { a: number(9), l: { L: [number(9)] } } },
      });
    },
  },
];

/** The attributes that an update gives back, on an item of these attributes or on none. */
async function returned(scope: Scope, before: Item | undefined, update: Update): Promise<Item | undefined> {
  const TableName = await scope.table();
  if (before !== undefined) await put(scope, TableName, { ...Key, ...before });
  return (await scope.client.send(new UpdateItemCommand({ TableName, Key, ...update }))).Attributes;
}
