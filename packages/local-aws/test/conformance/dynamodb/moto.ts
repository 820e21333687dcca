/** What moto (5.2, as of November 2026) does otherwise than AWS. Reason to check names; see `known-differences.ts`. */
export const motoDynamoDb: Readonly<Record<string, readonly string[]>> = {
  "describes tables without TableId, IndexArn and deletion protection": [
    "describes a new on-demand table with its simple key",
    "describes global and local indexes with their projections",
    "does not delete a protected table until the protection is taken off",
    "protects an existing table by an update",
    "restores keys and indexes, but neither TTL nor deletion protection",
    "restores the latest state into a new table, without TTL, recovery and deletion protection",
  ],
  "checks little of a table's definition": [
    "refuses table names that are too short or hold other characters",
    "refuses a local index on a table without sort key",
    "refuses an update that asks for nothing",
    "switches a provisioned table to on demand",
    "makes, describes and lists a backup of one table",
  ],
  "switches TTL on and off again without a word, and names another error for a missing table": [
    "refuses to switch TTL on twice and keeps the first attribute",
    "refuses to switch off a TTL that is off",
    "says ResourceNotFoundException for the TTL of a table that is not there",
  ],
  "knows no recovery period": [
    "has point-in-time recovery off until it is switched on, for 35 days by default",
    "keeps the recovery period that was asked for, and switches recovery off again",
    "refuses a recovery period outside 1 to 35 days",
  ],
  "adds a tag instead of replacing it, and tags what is not there": [
    "adds, replaces and removes tags one by one",
    "refuses tags for a table that is not there",
  ],
  "keeps numbers as they were written, without any check": [
    "writes numbers in one form, whatever form they came in",
    "refuses numbers of 39 digits, out of range, or that are none",
    "DELETE takes members out of a set and the attribute with the last one",
  ],
  "does not check sets, depth, keys and index keys, and counts an item's size otherwise": [
    "refuses empty sets and sets with duplicates",
    "keeps values nested 32 deep and refuses deeper ones",
    "keeps an item of exactly 400 KB and refuses one byte more",
    "refuses to read or delete by anything but the table's whole key",
    "refuses items whose index key has another type or is empty",
    "writes nothing when one item of the batch is invalid",
  ],
  "reads projections with an index only in part": [
    "reads only the paths of a projection",
    "refuses overlapping paths and reserved words in a projection",
    "reads several items of several tables as asked, with nothing for a missing one",
  ],
  "answers 500 where a comparison or a sum finds another type, or nothing": [
    "takes values of different types as unequal and never as ordered",
    "size counts characters, bytes and elements",
    "BETWEEN includes both ends and IN knows a list",
    "creates a bare item by an update without expression, and none by a removal",
    "refuses sums that need more than 38 digits or overflow, and keeps the item",
  ],
  "knows begins_with and contains for strings only, not for binaries": [
    "begins_with works on strings and binaries",
    "contains looks into strings, binaries, sets and lists",
  ],
  "knows no ReturnValuesOnConditionCheckFailure for updates and deletes": [
    "hands out the item that failed a condition when asked to",
  ],
  "takes malformed expressions and unused placeholders, or answers 500": [
    "refuses malformed conditions, unknown functions and unused or missing placeholders",
    "refuses malformed expressions, overlapping paths and keys, and keeps the item",
    "refuses key conditions that name no partition, other attributes or other operators",
    "refuses operands of the wrong type and keeps the item",
    "takes keywords in either case and any white space",
  ],
  "appends in the order of the expression": [
    "appends where an index lies past the end of a list, in the order of the indexes",
  ],
  "returns whole neighbours of a nested path": ["returns of a nested path only that path"],
  "names no last key when a limit ends with the items": [
    "names the last key when a limit is reached, even at the very end",
  ],
  "does not check limits, segments and start keys": [
    "refuses wrong types, key attributes in a filter, limits below 1 and foreign start keys",
    "refuses segments out of range, one without the other, and limits below 1",
  ],
  "reads only keys from a local index": [
    "sorts by a local index and reads its other attributes from the table",
  ],
  "does not check the size of a batch or transaction": [
    "refuses 26 writes, none, and two on one key, and writes nothing",
    "refuses to read 101 items, none, or one twice",
    "refuses two operations on one item, an empty transaction and 101 operations",
    "refuses to read nothing or 101 items in a transaction",
  ],
  "fails a transaction with the error of its item, and takes a token twice": [
    "cancels everything when an update does not fit its item",
    "applies a transaction once for one token, and refuses the token for another one",
  ],
  "restores whatever the time and without recovery, and has an error of its own for a missing table": [
    "does not restore a table to a point in time while its recovery is off",
    "refuses to restore a time before recovery was switched on, and one to come",
    "says TableNotFoundException for the restore of a table that is not there",
  ],
  "exports one file without manifests, forgets tokens and times, and answers HTML to other questions": [
    "exports a table to S3 as manifests and compressed lines of typed items",
    "takes a client token for the same export, and refuses it for another one",
    "does not export a table while its recovery is off",
    "fails an export into a bucket that is not there, and says so",
    "lists the exports of one table, and knows no export that was never made",
  ],
  "verifies no signatures": [
    "refuses a signature made with a wrong secret",
    "refuses an access key that it does not know",
    "refuses a request without signature",
    "refuses a signed request whose body was changed afterwards",
    "answers with a request id, and errors as JSON with a type and a message",
  ],
  "parses no malformed body and knows no unknown operation": [
    "says SerializationException for a body that is no JSON or has values of the wrong kind",
    "says UnknownOperationException for an operation that does not exist",
  ],
  "gives nothing for an attribute that a global index does not project": [
    "refuses to read attributes that a global index does not project",
  ],
  "fails on JSON that is nested without end": ["refuses JSON of any depth as a serialization fault"],
};
