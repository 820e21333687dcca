import fc from "fast-check";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { readRate, type ReadRate } from "../../src/backup/rate.ts";

/** A clock that only goes on when somebody waits, or when it is told to. */
function fakeClock() {
  let time = 0;
  const waited: number[] = [];
  return {
    waited,
    now: () => time,
    pass: (ms: number) => void (time += ms),
    wait: async (ms: number) => {
      waited.push(ms);
      time += ms;
    },
  };
}

async function readPages(rate: ReadRate, costs: readonly number[]): Promise<void> {
  for (const units of costs) {
    await rate.take();
    rate.spent(units);
  }
}

describe("the rate of reading", () => {
  it("lets the first second's units through without waiting", async () => {
    const clock = fakeClock();
    await readPages(readRate({ unitsPerSecond: 100, ...clock }), [40, 40, 19]);
    expect(clock.waited).toEqual([]);
  });

  it("lets through at once what a table has saved up, where it may spend that", async () => {
    const clock = fakeClock();
    const rate = readRate({ unitsPerSecond: 2, savedSeconds: 300, ...clock });
    await readPages(rate, [128, 128, 128, 128, 80]);
    expect(clock.waited).toEqual([]);
    await readPages(rate, [128]);
    await rate.take();
    // 120 units too many at 2 a second.
    expect(clock.now()).toBeGreaterThanOrEqual(60_000);
    expect(clock.now()).toBeLessThan(61_000);
  });

  it("waits off a page that cost more than a second's units before it asks for another", async () => {
    const clock = fakeClock();
    const rate = readRate({ unitsPerSecond: 10, ...clock });
    await readPages(rate, [128]);
    await rate.take();
    // 118 units too many at 10 a second.
    expect(clock.now()).toBeGreaterThanOrEqual(11_800);
    expect(clock.now()).toBeLessThan(12_000);
  });

  it("saves up no more than one second's units while nothing is read", async () => {
    const clock = fakeClock();
    const rate = readRate({ unitsPerSecond: 100, ...clock });
    clock.pass(3_600_000);
    await readPages(rate, [100]);
    const before = clock.now();
    await rate.take();
    expect(clock.now()).toBeGreaterThan(before);
  });

  it("spends, over any run of pages, no more than its units for the time and the last page", async () => {
    const pages = fc.array(fc.double({ min: 0.5, max: 128, noNaN: true }), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(pages, fc.integer({ min: 1, max: 500 }), async (costs, unitsPerSecond) => {
        const clock = fakeClock();
        const rate = readRate({ unitsPerSecond, ...clock });
        let spent = 0;
        for (const units of costs) {
          await rate.take();
          // All that was read before this page fits into the time, with one second's units to begin with.
          expect(spent).toBeLessThanOrEqual(unitsPerSecond * (1 + clock.now() / 1000) + 1e-6);
          rate.spent(units);
          spent += units;
        }
      }),
    );
  });

  it("is kept by four who read side by side, together", async () => {
    const clock = fakeClock();
    const unitsPerSecond = 256;
    const rate = readRate({ unitsPerSecond, ...clock });
    const most = { spent: 0 };
    const reader = async () => {
      for (let page = 0; page < 25; page += 1) {
        await rate.take();
        most.spent += 128;
        await Promise.resolve();
        rate.spent(128);
      }
    };
    await Promise.all([reader(), reader(), reader(), reader()]);
    expect(most.spent).toBe(12_800);
    // 100 pages at two a second; the first second's units and the page of each reader may be ahead.
    expect(clock.now()).toBeGreaterThanOrEqual(1000 * ((12_800 - 5 * 128) / unitsPerSecond - 1));
  });

  it("ends its waiting, for all who stand in line, when the command is broken off", async () => {
    const stop = new AbortController();
    const rate = readRate({
      unitsPerSecond: 1,
      now: () => 0,
      wait: (ms) => sleep(ms, undefined, { signal: stop.signal }),
    });
    await readPages(rate, [3600]);
    const inLine = Promise.allSettled([rate.take(), rate.take()]);
    stop.abort();
    expect((await inLine).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });
});
