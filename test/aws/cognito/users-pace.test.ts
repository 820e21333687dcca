import { describe, expect, it } from "vitest";
import { paced, pacedFor } from "../../../src/aws/cognito/users-pace.ts";

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

describe("a throttled call", () => {
  const throttled = Object.assign(new Error("Too many requests"), { name: "TooManyRequestsException" });

  it("is sent again, in its turn", async () => {
    const { waits, ...time } = clock();
    const call = paced({ perSecond: 20, ...time });
    let attempts = 0;
    const answer = await call(async () => {
      attempts += 1;
      if (attempts === 1) throw throttled;
      return "answer";
    });
    expect([answer, attempts, waits]).toEqual(["answer", 2, [50]]);
  });

  it("ends with its signal, and other errors are not tried again", async () => {
    const { waits, ...time } = clock();
    const call = paced({ perSecond: 20, ...time });
    const stop = new AbortController();
    let attempts = 0;
    const failing = call(async () => {
      attempts += 1;
      stop.abort(new Error("enough"));
      throw throttled;
    }, stop.signal);
    await expect(failing).rejects.toThrow("enough");
    await expect(
      call(async () => {
        attempts += 1;
        throw new Error("denied");
      }),
    ).rejects.toThrow("denied");
    expect([attempts, waits]).toEqual([2, [50]]);
  });
});

it("a server in AWS's place is not spared", async () => {
  const now = () => new Date("2026-03-01T12:00:00.000Z");
  const call = pacedFor({ endpointUrl: "http://127.0.0.1:9700" }, { perSecond: 1 / 3600, now });
  expect([await call(async () => 1), await call(async () => 2), await call(async () => 3)]).toEqual([
    1, 2, 3,
  ]);
});
