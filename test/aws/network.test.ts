import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connect, type Aws } from "../../src/aws/clients.ts";
import { waitedMs } from "../../src/aws/cuts.ts";
import { defaultLimits } from "../../src/aws/limits.ts";
import { sdkRetries } from "../../src/aws/sdk-retries.ts";
import { explain } from "../../src/aws/explain/explain.ts";
import { getItem } from "../../src/aws/dynamodb/items.ts";
import { getObjectBytes, putObject } from "../../src/aws/s3/objects.ts";
import {
  startMisbehavingServer,
  type MisbehavingServer,
  type Misbehaviour,
} from "../support/misbehaving-server.ts";
import { makeHome, type TestHome } from "../support/world.ts";

const limits = { silentMs: 100, silentAtWorkMs: 100, attempts: 3, firstDelayMs: 1 };
const credentials = { accessKeyId: "test", secretAccessKey: "test" };

let server: MisbehavingServer;
let aws: Aws;

async function misbehave(how: Misbehaviour): Promise<void> {
  server = await startMisbehavingServer(how);
  aws = connect({ region: "eu-central-1", endpointUrl: server.url, credentials, limits });
}

afterEach(async () => {
  aws.close();
  await server.close();
});

describe("a server that never comes to the end of an answer", () => {
  test.each([
    "silent",
    "stops in the head",
    "drips the head",
    "stops in the body",
    "drips the body",
    "only goes on",
  ] as const)("is given up, by its name: %s", async (how) => {
    await misbehave(how);
    const error: unknown = await getItem(aws, { table: "t", key: { userId: { S: "1" } } }).catch(
      (thrown: unknown) => thrown,
    );
    expect(explain(error, { endpointUrl: server.url })?.message).toContain(
      `cannot reach ${server.url}: no answer came in time`,
    );
    // The server, in this process, perhaps comes to the last one only now.
    await expect.poll(() => server.requests).toBe(3);
  });

  test.each(["stops in the body", "drips the body"] as const)(
    "does not hold up a download: %s",
    async (how) => {
      await misbehave(how);
      await expect(getObjectBytes(aws, { bucket: "b", key: "k" })).rejects.toMatchObject({
        name: "TimeoutError",
      });
    },
  );

  test("does not hold up an upload that it takes no bytes of", async () => {
    await misbehave("takes no bytes");
    const put = putObject(aws, { bucket: "b", key: "k", body: Buffer.alloc(8 * 1024 ** 2) });
    await expect(put).rejects.toMatchObject({ name: "TimeoutError" });
  });

  test("is not asked again once the command has ended", async () => {
    server = await startMisbehavingServer("silent");
    const patient = { ...limits, silentMs: 60_000, inVainMs: 600_000 };
    aws = connect({ region: "eu-central-1", endpointUrl: server.url, credentials, limits: patient });
    const asked = getItem(aws, { table: "t", key: { userId: { S: "1" } } });
    const ended = asked.catch((error: unknown) => error);
    await vi.waitUntil(() => server.requests === 1, { timeout: 60_000 });
    aws.close();
    expect(await ended).toBeInstanceOf(Error);
    expect(server.requests).toBe(1);
  });

  test("is not waited for again by what comes after", async () => {
    await misbehave("silent");
    const ask = () => getItem(aws, { table: "t", key: { userId: { S: "1" } } });
    await expect(ask()).rejects.toMatchObject({ name: "TimeoutError", $metadata: { attempts: 3 } });
    await expect(ask()).rejects.toMatchObject({ name: "TimeoutError", $metadata: { attempts: 1 } });
  });
});

describe("a command", () => {
  let home: TestHome;
  beforeEach(async () => {
    home = await makeHome();
    vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await home.remove();
  });

  test.each([
    ["hero show", 1],
    ["doc list u1", 1],
    ["hero rm --yes", 1],
    ["backup list --repo s3://some-bucket/x", 1],
    ["doctor", 4],
  ])("ends where nothing answers: %s", async (line, expected) => {
    await misbehave("silent");
    const { exitCode, stdout, stderr } = await home.run(
      ["--target", "aws", "--endpoint-url", server.url, ...line.split(" ")],
      { limits },
    );
    expect(exitCode).toBe(expected);
    expect(stdout + stderr).toContain(`cannot reach ${server.url}: no answer came in time`);
  });
});

describe("a call is repeated", () => {
  const timeOut = Object.assign(new Error("late"), { name: "TimeoutError", code: "ETIMEDOUT" });
  const failing = (code: string) => Object.assign(new Error(code), { code });
  const answered = (name: string, status: number, more = {}) =>
    Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status }, ...more });
  const corrected = (name: string, httpStatusCode: number) =>
    answered(name, httpStatusCode, { $metadata: { httpStatusCode, clockSkewCorrected: true } });
  const reasons = (...codes: string[]) => ({ CancellationReasons: codes.map((Code) => ({ Code })) });

  /** Tries until the strategy gives up on the error. */
  async function tries(
    failure: Error,
    {
      errorType,
      heard = false,
      inVainMs = 80_000,
      retryAfterHint,
    }: {
      errorType: "TRANSIENT" | "CLIENT_ERROR";
      heard?: boolean;
      inVainMs?: number;
      retryAfterHint?: Date;
    },
  ): Promise<number> {
    const strategy = sdkRetries({ ...defaultLimits, inVainMs }, { isSilent: false, isClosed: false });
    if (heard) strategy.recordSuccess();
    let token = await strategy.acquireInitialRetryToken();
    for (let failed = 1; ; failed += 1) {
      const next = await strategy
        .refreshRetryTokenForRetry(token, {
          error: failure,
          errorType,
          ...(retryAfterHint === undefined ? {} : { retryAfterHint }),
        })
        .catch(() => undefined);
      if (next === undefined) return failed;
      token = next;
    }
  }

  test("what was waited for past the SDK is waited for no longer than one call may be", async () => {
    const error = Object.assign(new Error("late"), { name: "TimeoutError", code: "ETIMEDOUT" });
    waitedMs.set(error, defaultLimits.inVainMs);
    expect(await tries(error, { errorType: "TRANSIENT" })).toBe(1);
  });

  test("nothing is repeated behind the time at which whoever waits goes", async () => {
    const error = failing("ECONNRESET");
    const reach = { isSilent: false, isClosed: false, leaveAtMs: performance.now() };
    const strategy = sdkRetries(defaultLimits, reach);
    const token = await strategy.acquireInitialRetryToken();
    const next = strategy.refreshRetryTokenForRetry(token, { error, errorType: "TRANSIENT" });
    await expect(next).rejects.toBe(error);
  });

  test.each([
    ["a connection that is cut", failing("ECONNRESET"), "TRANSIENT", false, 10],
    ["a name that nothing was heard of", failing("ENOTFOUND"), "TRANSIENT", false, 3],
    ["a name that was heard before", failing("ENOTFOUND"), "TRANSIENT", true, 10],
    ["a body that ended early", failing("ERR_STREAM_PREMATURE_CLOSE"), "CLIENT_ERROR", false, 10],
    ["a refused permission", answered("AccessDenied", 403), "CLIENT_ERROR", false, 1],
    ["a condition that does not hold", answered("PreconditionFailed", 412), "CLIENT_ERROR", false, 1],
    ["a missing key while the clock is off", corrected("NoSuchKey", 404), "TRANSIENT", false, 1],
    [
      "a body that ended early while the clock is off",
      Object.assign(corrected("Error", 200), { code: "ECONNRESET" }),
      "TRANSIENT",
      false,
      10,
    ],
    [
      "a write beside another while the clock is off",
      corrected("ConditionalRequestConflict", 409),
      "TRANSIENT",
      false,
      10,
    ],
    [
      "a signature while the clock is off",
      corrected("InvalidSignatureException", 400),
      "TRANSIENT",
      false,
      2,
    ],
    ["a write beside another", answered("ConditionalRequestConflict", 409), "CLIENT_ERROR", false, 10],
    [
      "an item in another transaction",
      answered("TransactionConflictException", 400),
      "CLIENT_ERROR",
      false,
      10,
    ],
    [
      "a transaction that throttling cancelled",
      answered("TransactionCanceledException", 400, reasons("None", "ThrottlingError")),
      "CLIENT_ERROR",
      false,
      10,
    ],
    [
      "a transaction of which a condition did not hold",
      answered("TransactionCanceledException", 400, reasons("ThrottlingError", "ConditionalCheckFailed")),
      "CLIENT_ERROR",
      false,
      1,
    ],
  ] as const)("%s", async (_what, error, errorType, heard, expected) => {
    expect(await tries(error, { errorType, heard })).toBe(expected);
  });

  test("a server that asks to come back in an hour is asked until the limit of waiting is reached", async () => {
    const retryAfterHint = new Date("2999-01-01T00:00:00Z");
    const busy = answered("ServiceUnavailable", 503);
    // Four pauses of twenty seconds.
    expect(await tries(busy, { errorType: "TRANSIENT", retryAfterHint })).toBe(5);
  });

  test("not once the limit of waiting in vain would be passed", async () => {
    expect(await tries(timeOut, { errorType: "TRANSIENT", inVainMs: 1 })).toBe(1);
  });
});
