/** What MiniStack (as of November 2026) does otherwise than AWS. Reason to check names; see `known-differences.ts`. */
export const ministackDynamoDb: Readonly<Record<string, readonly string[]>> = {
  "switches TTL on and off again without a word": [
    "refuses to switch TTL on twice and keeps the first attribute",
    "refuses to switch off a TTL that is off",
  ],
  "knows no recovery period, and another error for a missing table": [
    "has point-in-time recovery off until it is switched on, for 35 days by default",
    "keeps the recovery period that was asked for, and switches recovery off again",
    "refuses a recovery period outside 1 to 35 days",
    "says TableNotFoundException for the continuous backups of a table that is not there",
  ],
  "compares numbers as text and computes with 28 digits": [
    "takes equal numbers for one key, however they are written",
    "adds and subtracts without losing a digit",
    "DELETE takes members out of a set and the attribute with the last one",
    "refuses sums that need more than 38 digits or overflow, and keeps the item",
  ],
  "checks numbers and depth with messages of its own": [
    "refuses numbers of 39 digits, out of range, or that are none",
    "keeps values nested 32 deep and refuses deeper ones",
  ],
  "does not check projections, limits, segments and start keys": [
    "refuses overlapping paths and reserved words in a projection",
    "refuses wrong types, key attributes in a filter, limits below 1 and foreign start keys",
    "refuses segments out of range, one without the other, and limits below 1",
  ],
  "knows begins_with and contains for strings only, not for binaries": [
    "begins_with works on strings and binaries",
    "contains looks into strings, binaries, sets and lists",
  ],
  "takes malformed expressions, reserved words and unused placeholders": [
    "knows reserved words only behind a placeholder",
    "refuses malformed conditions, unknown functions and unused or missing placeholders",
    "refuses malformed expressions, overlapping paths and keys, and keeps the item",
    "refuses key conditions that name no partition, other attributes or other operators",
  ],
  "creates an item by a removal": [
    "creates a bare item by an update without expression, and none by a removal",
  ],
  "computes with operands of the wrong type": [
    "refuses operands of the wrong type and keeps the item",
    "cancels everything when an update does not fit its item",
  ],
  "fills lists with NULL up to an index, and removes elements one after the other": [
    "appends where an index lies past the end of a list, in the order of the indexes",
    "removes list elements by the indexes they had before",
  ],
  "returns whole neighbours of a nested path": ["returns of a nested path only that path"],
  "has no limit of 1 MB or 16 MB": [
    "ends a page of a query at 1 MB and goes on from there",
    "ends a page of a scan at 1 MB and goes on from there",
    "measures a page before the filter, so that a page may be empty and go on",
    "returns at most 16 MB at once and names the keys that are left",
  ],
  "does not treat an index as one: local ones hold all they are asked, global ones are read consistently": [
    "sorts by a local index and reads its other attributes from the table",
    "refuses what a global index cannot do: consistent reads and attributes it does not hold",
  ],
  "does not check the size of a batch or transaction": [
    "refuses 26 writes, none, and two on one key, and writes nothing",
    "refuses to read 101 items, none, or one twice",
    "refuses two operations on one item, an empty transaction and 101 operations",
  ],
  "restores whatever the time and without recovery, and does not say where a table came from": [
    "restores the latest state into a new table, without TTL, recovery and deletion protection",
    "does not restore a table to a point in time while its recovery is off",
    "refuses to restore a time before recovery was switched on, and one to come",
  ],
  "says that it exported and writes nothing to S3, also without recovery": [
    "exports a table to S3 as manifests and compressed lines of typed items",
    "takes a client token for the same export, and refuses it for another one",
    "does not export a table while its recovery is off",
    "fails an export into a bucket that is not there, and says so",
  ],
  "verifies no signatures": [
    "refuses a signature made with a wrong secret",
    "refuses an access key that it does not know",
    "refuses a request without signature",
    "refuses a signed request whose body was changed afterwards",
    "answers with a request id, and errors as JSON with a type and a message",
  ],
  "answers 500 to a body that it cannot parse": [
    "says SerializationException for a body that is no JSON or has values of the wrong kind",
  ],
  "gives nothing for an attribute that a global index does not project": [
    "refuses to read attributes that a global index does not project",
  ],
  "fails on JSON that is nested without end": ["refuses JSON of any depth as a serialization fault"],
};
