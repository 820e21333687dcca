import { afterEach, beforeEach, expect, test } from "vitest";
import { s3Store } from "../../src/backup/s3-store.ts";
import type { Store } from "../../src/backup/store.ts";
import type { FaultyServer } from "../support/faulty-server.ts";
import { openLocalAws, type LocalAws } from "../support/local-aws.ts";

let local: LocalAws;
let server: FaultyServer;
let store: Store;

beforeEach(async () => {
  local = await openLocalAws();
  const faulty = await local.faulty();
  ({ server } = faulty);
  store = s3Store(faulty.aws, { bucket: "plain", prefix: "backups" });
});
afterEach(() => local.close());

const conflict = {
  status: 409,
  headers: { "content-type": "application/xml" },
  body: "<Error><Code>ConditionalRequestConflict</Code><Message>try again</Message></Error>",
};

/** S3 answers so while a writer or a removal of the key is under way. */
function conflicts(times: number): void {
  let left = times;
  server.fault = ({ method }) => {
    if (method !== "PUT" || left === 0) return undefined;
    left -= 1;
    return conflict;
  };
}

test("a name whose removal was under way is asked for again, and given", async () => {
  conflicts(3);
  expect(await store.create("a", Buffer.from("mine"))).toBe("created");
  expect(String(await store.readBytes("a"))).toBe("mine");
});

test("a name that another has got meanwhile stays the other's", async () => {
  const other = s3Store(local.aws, { bucket: "plain", prefix: "backups" });
  await other.create("a", Buffer.from("theirs"));
  conflicts(2);
  expect(await store.create("a", Buffer.from("mine"))).toBe("exists");
  expect(String(await store.readBytes("a"))).toBe("theirs");
});

test("a conflict without end is an error, and not taken for a file that is there", async () => {
  conflicts(Infinity);
  await expect(store.create("a", Buffer.from("mine"))).rejects.toThrow("try again");
  server.fault = undefined;
  expect(await store.stat("a")).toBeUndefined();
});
