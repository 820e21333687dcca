import { errorName } from "../setting.ts";

/** Whether DynamoDB refuses to give all attributes of items by an index, which holds some of them alone. */
export function isPartOnly(error: unknown): boolean {
  return (
    errorName(error) === "ValidationException" &&
    error instanceof Error &&
    error.message.includes("ALL_ATTRIBUTES")
  );
}
