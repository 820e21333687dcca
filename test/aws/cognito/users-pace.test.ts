import { describe, expect, it } from "vitest";
import { paced, pacedFor } from "../../../src/aws/cognito/users-pace.ts";
import { readUserPool } from "../../../src/aws/cognito/user-pool.ts";
import { startFaultyServer } from "../../support/faulty-server.ts";

/** A clock that only waiting moves. */
function clock(jumps: Readonly<Record<number, number>> = {}) {
  let ms = Date.parse("2026-03-01T12:00:00.000Z");
  const start = ms;
  const waits: number[] = [];
  return {
    waits,
    elapsed: () => ms - start,
    now: () => new Date(ms),
    async wait(delay: number) {
      waits.push(delay);
      ms += delay + (jumps[waits.length] ?? 0);
    },
  };
}

describe("calls", () => {
  it("one after the other are spaced evenly, the first without waiting", async () => {
    const { waits, ...time } = clock();
    const call = paced({ perSecond: 20, ...time });
    for (let index = 0; index < 5; index++) await call(async () => index);
    expect(waits).toEqual([50, 50, 50, 50]);
  });

  it("of several at once take turns", async () => {
    const { waits, ...time } = clock();
    const call = paced({ perSecond: 10, now: time.now, wait: async (ms) => void waits.push(ms) });
    await Promise.all([1, 2, 3, 4].map((index) => call(async () => index)));
    expect(waits).toEqual([100, 200, 300]);
  });

  it("that come late anyway are not waited with", async () => {
    const { waits, ...time } = clock();
    const call = paced({ perSecond: 10, ...time });
    await call(async () => time.wait(500));
    await call(async () => undefined);
    expect(waits).toEqual([500]);
  });

  it("are not held up by a clock that is put back", async () => {
    const waits: number[] = [];
    let ms = Date.parse("2026-03-01T12:00:00.000Z");
    const call = paced({
      perSecond: 10,
      now: () => new Date(ms),
      async wait(delay) {
        waits.push(delay);
      },
    });
    await call(async () => undefined);
    ms -= 3_600_000;
    await call(async () => undefined);
    expect(waits).toEqual([]);
  });
});

it("a call that Cognito throttles all the same is sent again by the client", async () => {
  const server = await startFaultyServer();
  const body = JSON.stringify({ __type: "TooManyRequestsException", message: "Too many requests" });
  const headers = { "content-type": "application/x-amz-json-1.1" };
  server.fault = () =>
    server.requests.length < 3
      ? { status: 400, headers, body }
      : { status: 200, headers, body: '{"UserPool":{}}' };
  try {
    expect(await readUserPool(server.aws(), "eu-central-1_1")).toBeDefined();
    expect(server.requests.length).toBe(3);
  } finally {
    await server.close();
  }
});

it("a server in AWS's place is not spared", async () => {
  const now = () => new Date("2026-03-01T12:00:00.000Z");
  const call = pacedFor({ endpointUrl: "http://127.0.0.1:9700" }, { perSecond: 1 / 3600, now });
  expect([await call(async () => 1), await call(async () => 2), await call(async () => 3)]).toEqual([
    1, 2, 3,
  ]);
});
