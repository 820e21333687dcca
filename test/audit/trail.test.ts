import { DeleteBucketCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readAnchor } from "../../src/audit/anchor.ts";
import { anchorKey, type TrailPlace } from "../../src/audit/place.ts";
import { storedChain } from "../../src/audit/entries.ts";
import type { AuditTrail } from "../../src/audit/trail.ts";
import type { Aws } from "../../src/aws/clients.ts";
import { getItem } from "../../src/aws/dynamodb/items.ts";
import { errorName } from "../../src/aws/setting.ts";
import { CliError, NothingChanged } from "../../src/errors.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { event, openTrailSite, removeTable, testNow, type TrailSite } from "./trail-site.ts";

let trail: TrailSite;

beforeEach(async () => {
  trail = await openTrailSite();
});
afterEach(() => trail.close());

async function chain(): Promise<JsonObject[]> {
  const found: JsonObject[] = [];
  for await (const stored of storedChain(trail.site)) found.push(stored);
  return found;
}

/** Middleware on the clients of a store: what the tests see of the calls, and put in their way. */
async function intercept(
  aws: Aws,
  service: "s3" | "dynamodb",
  around: (command: string, send: () => Promise<unknown>, key: string) => Promise<unknown>,
): Promise<void> {
  const client = await aws[service]();
  const stack = client.middlewareStack as {
    add(middleware: unknown, options: { step: string; name: string; override: boolean }): void;
  };
  stack.add(
    (next: (args: unknown) => Promise<unknown>, context: { commandName?: string }) =>
      (args: { input: { Key?: unknown } }) =>
        around(context.commandName ?? "", () => next(args), String(args.input.Key)),
    { step: "initialize", name: "intercept", override: true },
  );
}

async function counting(service: "s3" | "dynamodb"): Promise<Map<string, number>> {
  const calls = new Map<string, number>();
  await intercept(trail.aws, service, (command, send) => {
    calls.set(command, (calls.get(command) ?? 0) + 1);
    return send();
  });
  return calls;
}

function refused(name: string): Error {
  return Object.assign(new Error(`${name} of the test`), { name, $metadata: { httpStatusCode: 400 } });
}

describe("recording", () => {
  it("stores who did what to whom, when and with what, and links it to the one before", async () => {
    await trail.write(2);
    const [first, second] = await chain();
    expect(first).toEqual({
      chain: "main",
      sequence: 1,
      id: expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ) as string,
      timestamp: "2026-03-01T12:00:00.000Z",
      actor: "arn:aws:iam::123456789012:user/manuel",
      action: "document.deleted",
      userId: "user-1",
      details: { documentId: "doc-1", name: "Lebenslauf größer.pdf", sizeBytes: 1, tags: ["a", "b"] },
      userAgent: "mawps/0.1.0 node/20.20.0 linux",
      ttl: Date.parse("2033-03-01T12:00:00.000Z") / 1000,
      previousTtl: 0,
      previousHash: "0".repeat(64),
      writer: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      signature: expect.stringMatching(/^[\w+/]{86}==$/) as string,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(second).toMatchObject({
      sequence: 2,
      previousHash: first?.["hash"],
      previousTtl: first?.["ttl"],
    });
  });

  it("leaves the user out of an entry that is about nobody", async () => {
    const opened = await trail.open();
    await opened.record({ action: "backup.created", userId: "", details: { backupId: "b1" } });
    await opened.record({ action: "backup.created" });
    expect((await chain()).map((entry) => [entry["userId"], entry["details"]])).toEqual([
      [undefined, { backupId: "b1" }],
      [undefined, {}],
    ]);
  });

  it("never goes back in time, nor lets an entry expire before an earlier one", async () => {
    await trail.write(1);
    await trail.write(1, { now: () => new Date(testNow.getTime() - 86_400_000), retentionDays: 1 });
    const [first, second] = await chain();
    expect(second).toMatchObject({ timestamp: first?.["timestamp"], ttl: first?.["ttl"] });
    expect((await trail.verify()).faults).toEqual([]);
  });

  it("writes a group in one call for each 100 entries, in its order", async () => {
    const opened = await trail.open();
    const calls = await counting("dynamodb");
    await opened.record(Array.from({ length: 230 }, (_, at) => event(at)));
    expect(Object.fromEntries(calls)).toEqual({ TransactWriteItemsCommand: 3 });
    const sizes = (await chain()).map(({ details }) => (details as { sizeBytes: number }).sizeBytes);
    expect(sizes).toEqual(Array.from({ length: 230 }, (_, at) => at));
  });

  it("lets what is recorded while a write is on its way share the next one", async () => {
    const opened = await trail.open();
    const calls = await counting("dynamodb");
    const first = opened.record(event(0));
    const later: Promise<void>[] = [];
    await Promise.resolve();
    await Promise.resolve();
    for (let number = 1; number <= 50; number += 1) later.push(opened.record(event(number)));
    await Promise.all([first, ...later]);
    expect(Object.fromEntries(calls)).toEqual({ PutItemCommand: 1, TransactWriteItemsCommand: 1 });
    expect(await chain()).toHaveLength(51);
  });

  it("does not fork with 20 writers at once, single entries and groups", async () => {
    const writers = await Promise.all(Array.from({ length: 20 }, () => trail.open()));
    await Promise.all(
      writers.map(async (writer, at) => {
        if (at % 2 === 0) await writer.record(event(at));
        else await writer.record([event(at), event(at + 100), event(at + 200)]);
        await writer.settle();
      }),
    );
    expect(await trail.verify()).toEqual({
      faults: [],
      interruptions: [],
      sum: {
        entries: 40,
        first: 1,
        last: 40,
        anchored: 40,
        notAnchored: 0,
        expired: 0,
        interrupted: 0,
        acknowledged: 0,
        faults: 0,
      },
    });
    const recorded = (await chain()).map(({ details }) => (details as { sizeBytes: number }).sizeBytes);
    const expected = Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? [at] : [at, at + 100, at + 200]));
    expect(recorded.sort((a, b) => a - b)).toEqual(expected.flat().sort((a, b) => a - b));
  });

  it("takes its own first attempt, whose answer was lost, for what it is", async () => {
    const opened = await trail.open();
    await intercept(trail.aws, "dynamodb", async (command, send) => {
      if (command !== "PutItemCommand") return send();
      // What the SDK does after a connection that broke: the same call again.
      await send();
      return send();
    });
    await opened.record(event(1));
    expect(await chain()).toHaveLength(1);
  });

  it("gives up without an entry when others are always faster", async () => {
    const opened = await trail.open();
    let attempts = 0;
    await intercept(trail.aws, "dynamodb", async (command, send) => {
      if (command !== "PutItemCommand") return send();
      attempts += 1;
      throw refused("TransactionConflictException");
    });
    await expect(opened.record(event(1))).rejects.toThrow(
      /document.deleted is not in the audit trail: too many/,
    );
    expect(attempts).toBe(60);
  });

  it("says which action has no entry when the table refuses it", async () => {
    const opened = await trail.open();
    await intercept(trail.aws, "dynamodb", async () => {
      throw refused("AccessDeniedException");
    });
    await expect(opened.record([event(1), event(2)])).rejects.toThrow(
      "document.deleted, document.uploaded is not in the audit trail: access denied",
    );
  });
});

describe("something irreversible", () => {
  it("is announced before it is done, and its outcome told after it", async () => {
    const opened = await trail.open();
    const seen: number[] = [];
    const result = await opened.irreversible(
      { action: "document.purged", userId: "user-1", details: { documentId: "doc-1" } },
      async () => {
        seen.push((await chain()).length);
        return 3;
      },
      (versions) => ({ versions }),
    );
    expect([result, seen]).toEqual([3, [1]]);
    expect((await chain()).map(({ details }) => details)).toEqual([
      { documentId: "doc-1", phase: "begun" },
      { documentId: "doc-1", phase: "done", versions: 3 },
    ]);
  });

  it("is told as failed, with the kind of error and not its words", async () => {
    const opened = await trail.open();
    const failing = opened.irreversible({ action: "document.purged" }, async () => {
      throw new RangeError("the contents of somebody's letter");
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect((await chain()).map(({ details }) => details)).toEqual([
      { phase: "begun" },
      { phase: "failed", error: "RangeError" },
    ]);
  });

  it("is not begun when its announcement cannot be written", async () => {
    const opened = await trail.open();
    await intercept(trail.aws, "dynamodb", async () => {
      throw refused("AccessDeniedException");
    });
    let begun = false;
    const act = async () => {
      begun = true;
    };
    await expect(opened.irreversible({ action: "document.purged" }, act)).rejects.toThrow("access denied");
    expect(begun).toBe(false);
  });
});

describe("a change that fails", () => {
  it.each([
    { error: new CliError("stored, but not whole"), told: ["CliError"] },
    { error: new RangeError("x"), told: ["RangeError"] },
    { error: new NothingChanged("somebody else was faster"), told: [] },
  ])("is told of unless it is certain that nothing was changed: $error.constructor.name", async (row) => {
    const opened = await trail.open();
    const failing = opened.change({ action: "twin.changed" }, () => Promise.reject(row.error));
    await expect(failing).rejects.toBe(row.error);
    await opened.settle();
    expect((await chain()).map(({ details }) => details)).toEqual(
      row.told.map((error) => ({ phase: "failed", error })),
    );
    expect(await trail.verify()).toMatchObject({ faults: [], interruptions: [] });
  });
});

describe("a change that is committed with its entry", () => {
  const elsewhere = { chain: { S: "elsewhere" }, sequence: { N: "1" } };
  const step = () => ({
    kind: "put" as const,
    table: trail.site.table,
    item: elsewhere,
    conditions: [{ path: "chain", is: "absent" as const }],
  });
  const isMade = async () => {
    const found = await getItem(trail.aws, { table: trail.site.table, key: elsewhere });
    return found !== undefined;
  };
  const committing = (opened: AuditTrail) =>
    opened.change(event(1), (commit) => commit(trail.aws, { steps: [step()], told: event(2) }));

  it("is made and told of in one call", async () => {
    const opened = await trail.open();
    const calls = await counting("dynamodb");
    expect(await committing(opened)).toBe(true);
    expect(Object.fromEntries(calls)).toEqual({ TransactWriteItemsCommand: 1 });
    await opened.settle();
    expect(await isMade()).toBe(true);
    expect((await chain()).map(({ userId, change }) => [userId, change])).toEqual([["user-2", 1]]);
    expect(await trail.verify()).toMatchObject({ faults: [], interruptions: [], sum: { anchored: 1 } });
  });

  it("is neither made nor told of where its condition does not hold", async () => {
    await trail.put(elsewhere);
    const opened = await trail.open();
    const failing = opened.change(event(1), async (commit) => {
      if (!(await commit(trail.aws, { steps: [step()], told: event(2) }))) throw new NothingChanged("taken");
    });
    await expect(failing).rejects.toThrow("taken");
    await opened.settle();
    expect(await chain()).toEqual([]);
    expect(await trail.verify()).toMatchObject({ faults: [], interruptions: [] });
  });

  it("goes behind what others recorded meanwhile, and beside nothing of its own run", async () => {
    const opened = await trail.open();
    await trail.write(3);
    const [isDone] = await Promise.all([
      committing(opened),
      opened.record(event(7)),
      opened.record(event(8)),
    ]);
    expect(isDone).toBe(true);
    await opened.settle();
    expect(await isMade()).toBe(true);
    const recorded = (await chain()).map(({ details }) => (details as { sizeBytes: number }).sizeBytes);
    expect(recorded).toEqual([1, 2, 3, 2, 7, 8]);
    expect(await trail.verify()).toMatchObject({ faults: [], interruptions: [], sum: { anchored: 6 } });
  });

  it("is not made where the trail refuses its entry, and stays announced", async () => {
    const opened = await trail.open();
    await intercept(trail.aws, "dynamodb", async (command, send) => {
      if (command.startsWith("Put") || command.startsWith("Transact")) throw refused("AccessDeniedException");
      return send();
    });
    await expect(committing(opened)).rejects.toThrow("AccessDeniedException of the test");
    await opened.settle();
    expect(await isMade()).toBe(false);
    expect(await chain()).toEqual([]);
    expect((await trail.verify()).interruptions).toMatchObject([{ action: "document.deleted" }]);
  });
});

describe("several that change together", () => {
  it("are each told of as interrupted when they were made and could not be recorded", async () => {
    const opened = await trail.open();
    let isRefused = false;
    await intercept(trail.aws, "dynamodb", async (_command, send) => {
      if (isRefused) throw refused("AccessDeniedException");
      return send();
    });
    const changing = opened.change([event(1), event(2)], async () => {
      isRefused = true;
    });
    await expect(changing).rejects.toThrow("is not in the audit trail: access denied");
    isRefused = false;
    await opened.settle();
    expect(await chain()).toEqual([]);
    const { faults, interruptions } = await trail.verify();
    expect(faults).toEqual([]);
    expect(interruptions).toMatchObject([
      { action: "document.deleted", userId: "user-1" },
      { action: "document.uploaded", userId: "user-2" },
    ]);
  });

  it("are each told of as interrupted when the run ended between intent and outcome", async () => {
    const killed = await trail.open();
    await new Promise<void>((begun) => {
      void killed.irreversible([event(1), event(2)], () => {
        begun();
        return new Promise(() => undefined);
      });
    });
    await killed.settle();
    expect((await trail.verify()).interruptions).toMatchObject([{ userId: "user-1" }, { userId: "user-2" }]);
  });

  it("have one number, and are told of as they came out; those that did not are not", async () => {
    const opened = await trail.open();
    await opened.change(
      [event(1), event(2)],
      async () => undefined,
      () => [event(2)],
    );
    await opened.settle();
    expect((await chain()).map(({ userId, change }) => [userId, change])).toEqual([["user-2", 1]]);
    expect((await trail.verify()).interruptions).toEqual([]);
  });
});

describe("an outcome that takes two writes", () => {
  it.each([
    { way: "change", refusedWrite: 1, recorded: 0 },
    { way: "change", refusedWrite: 2, recorded: 99 },
    { way: "irreversible", refusedWrite: 1, recorded: 1 },
    { way: "irreversible", refusedWrite: 2, recorded: 100 },
  ] as const)(
    "is told of as interrupted when write $refusedWrite of a $way is refused",
    async ({ way, refusedWrite, recorded }) => {
      const opened = await trail.open();
      let writes = 0;
      await intercept(trail.aws, "dynamodb", async (command, send) => {
        if (command === "TransactWriteItemsCommand") writes += 1;
        if (writes === refusedWrite) {
          writes += 1;
          throw refused("AccessDeniedException");
        }
        return send();
      });
      const outcome = Array.from({ length: 150 }, (_, at) => event(at));
      const changing = opened[way](
        event(1),
        async () => undefined,
        () => outcome,
      );
      await expect(changing).rejects.toThrow("is not in the audit trail: access denied");
      await opened.settle();
      expect(await chain()).toHaveLength(recorded);
      const { faults, interruptions } = await trail.verify();
      expect(faults).toEqual([]);
      expect(interruptions).toMatchObject([{ action: "document.deleted", userId: "user-1" }]);
    },
  );

  it("is not split by what is recorded beside it", async () => {
    const opened = await trail.open();
    const calls = await counting("dynamodb");
    await Promise.all([opened.record(event(0)), opened.record(Array.from({ length: 99 }, () => event(1)))]);
    expect([...calls]).toEqual([
      ["PutItemCommand", 1],
      ["TransactWriteItemsCommand", 1],
    ]);
  });

  it("has come to its end with its last entry", async () => {
    const opened = await trail.open();
    await opened.irreversible(
      event(1),
      async () => undefined,
      () => Array.from({ length: 150 }, (_, at) => event(at)),
    );
    await opened.settle();
    expect((await chain()).map(({ change }) => change).filter((each) => each !== undefined)).toEqual([1, 1]);
    expect((await trail.verify()).interruptions).toEqual([]);
  });
});

describe("opening", () => {
  it("writes nothing to the table, and the first anchor once", async () => {
    await trail.open();
    await trail.open();
    expect(await chain()).toEqual([]);
    expect(await trail.anchor()).toMatchObject({ sequence: 0, count: 0 });
  });

  it.each([
    { what: "the table is missing", says: "ResourceNotFoundException" },
    { what: "the bucket is missing", says: "NoSuchBucket" },
    { what: "entries may be read but not put", says: "AccessDeniedException" },
  ])("fails when $what", async ({ says }) => {
    if (says === "ResourceNotFoundException") {
      await removeTable(trail.site);
    } else if (says === "NoSuchBucket") {
      await (await trail.aws.s3()).send(new DeleteBucketCommand({ Bucket: trail.site.bucket }));
    } else {
      await intercept(trail.aws, "dynamodb", async (command, send) => {
        if (command === "PutItemCommand") throw refused(says);
        return send();
      });
    }
    const error = await trail.open().catch((thrown: unknown) => thrown);
    expect(errorName(error)).toBe(says);
  });
});

describe("the anchor", () => {
  it("follows behind with as few writes as it can, and stands at the head in the end", async () => {
    const opened = await trail.open();
    const calls = await counting("s3");
    for (let number = 1; number <= 30; number += 1) await opened.record(event(number));
    await opened.settle();
    // Twice for each anchor, and the claim.
    expect(calls.get("PutObjectCommand")).toBeLessThanOrEqual(63);
    const last = (await chain()).at(-1);
    expect(await trail.anchor()).toEqual({
      sequence: 30,
      count: 30,
      hash: last?.["hash"],
      timestamp: last?.["timestamp"],
      ttl: last?.["ttl"],
    });
  });

  it("never goes back when a slower writer comes later", async () => {
    const [slow, fast] = [await trail.open(), await trail.open()];
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let isFirst = true;
    await intercept(trail.aws, "s3", async (command, send, key) => {
      if (command === "PutObjectCommand" && isFirst && key === anchorKey(trail.site)) {
        isFirst = false;
        await held;
      }
      return send();
    });
    await slow.record(event(1));
    await fast.record([event(2), event(3)]);
    await fast.settle();
    expect(await trail.anchor()).toMatchObject({ sequence: 3 });
    release();
    await slow.settle();
    expect(await trail.anchor()).toMatchObject({ sequence: 3 });
    expect((await trail.verify()).faults).toEqual([]);
  });

  it("is made up for by the next run when a run ended before it", async () => {
    await trail.write(2);
    await intercept(trail.aws, "s3", async (command, send, key) => {
      if (command === "PutObjectCommand" && !key.includes("/claims/")) throw refused("AccessDenied");
      return send();
    });
    const opened = await trail.open();
    await opened.record([event(3), event(4)]);
    await expect(opened.settle()).rejects.toThrow("AccessDenied");
    expect(await trail.verify()).toMatchObject({ faults: [], sum: { anchored: 2, notAnchored: 2 } });

    await intercept(trail.aws, "s3", (_command, send) => send());
    await trail.write(1);
    expect(await trail.verify()).toMatchObject({ faults: [], sum: { anchored: 5, notAnchored: 0 } });
  });

  it("is not taken for lost by a writer that opens while another begins the trail", async () => {
    let others: Promise<void> | undefined;
    let isOther = false;
    await intercept(trail.aws, "s3", async (command, send) => {
      const answer = await send().catch((error: unknown) => ({ error }));
      if (command === "GetObjectCommand" && !isOther) {
        isOther = true;
        // Between the answer that there is no anchor and its being looked at.
        others = trail.write(1);
        await others;
      }
      if (typeof answer === "object" && answer !== null && "error" in answer) throw answer.error;
      return answer;
    });
    await trail.write(1);
    expect((await chain()).map(({ action }) => action)).toEqual(["document.deleted", "document.deleted"]);
    expect((await trail.verify()).faults).toEqual([]);
  });

  it("belongs to one table: another table begins a trail of its own", async () => {
    await trail.write(3);
    const other: TrailPlace = { ...trail.site, table: "other-audit-log" };
    expect(await readAnchor(other)).toBeUndefined();
    expect(await readAnchor(trail.site)).toMatchObject({ head: { sequence: 3 } });
  });
});
