import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Clamd } from "../../src/scan/conversation.ts";
import { scannerFacts } from "../../src/scan/engine.ts";
import { scanStream, startScan } from "../../src/scan/scan.ts";
import { tryScanner } from "../../src/scan/trial.ts";
import type { Verdict } from "../../src/scan/verdict.ts";
import { eicar, officialVersion, zip } from "./contents.ts";
import { missingClamd, startClamd, type RealClamd } from "./real-clamd.ts";

const options = { timeoutMs: 180_000, maxBytes: 100_000_000 };
const infected = { result: "INFECTED", signature: "Mawps.Test.Eicar.UNOFFICIAL" };

async function scanned(clamd: Clamd, bytes: Uint8Array, chunkBytes = 64 * 1024): Promise<Verdict> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < bytes.byteLength; start += chunkBytes) {
      yield bytes.subarray(start, start + chunkBytes);
    }
  }
  return await scanStream(chunks(), clamd, options);
}

/** Larger unpacked than the limits below, and small when packed. */
function longWithEicar(): Buffer {
  return Buffer.concat([Buffer.alloc(8_000_000), eicar()]);
}

beforeEach((context) => {
  const missing = missingClamd();
  context.skip(missing !== undefined, missing);
});

describe.for(["tcp", "unix"] as const)("clamd as docs/virus-scan.md has it, over %s", (way) => {
  let engine: RealClamd | undefined;
  let clamd: Clamd = { socket: "/nonexistent" };
  beforeAll(async () => {
    if (missingClamd() !== undefined) return;
    engine = await startClamd([
      "AlertExceedsMax yes",
      "AlertEncrypted yes",
      "ExtendedDetectionInfo yes",
      "StreamMaxLength 4M",
      "MaxFileSize 3M",
      "MaxScanSize 3M",
    ]);
    clamd = engine[way];
  });
  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]();
  });

  test("tells its version and that of its signatures", async () => {
    expect(await scannerFacts(clamd, options)).toEqual({
      engine: expect.stringMatching(/^ClamAV [^/]+\/27461\/Fri Nov 20 /),
      engineVersion: expect.stringMatching(/^\d+\.\d+\.\d+/),
      signatures: { version: officialVersion, date: "2026-11-20" },
    });
  });

  test("finds a plain text clean, in one chunk and byte by byte", async () => {
    const text = Buffer.from("Lebenslauf, ganz gewöhnlich\n");
    const facts = await scannerFacts(clamd, options);
    const clean = { result: "CLEAN", engine: "engine" in facts ? facts.engine : "unknown" };
    expect(await scanned(clamd, text)).toEqual(clean);
    expect(await scanned(clamd, text, 1)).toEqual(clean);
  });

  test.each<[string, () => Buffer]>([
    ["EICAR", eicar],
    ["EICAR in a zip", () => zip("lebenslauf.txt", eicar())],
    ["EICAR in a zip in a zip", () => zip("outer.zip", zip("lebenslauf.txt", eicar()))],
    ["EICAR at the end of a large file", () => Buffer.concat([Buffer.alloc(900_000, "text "), eicar()])],
  ])("finds %s, also byte by byte", async (_name, content) => {
    expect(await scanned(clamd, content())).toMatchObject(infected);
    expect(await scanned(clamd, content(), 999)).toMatchObject(infected);
  });

  test.each<[string, () => Buffer, string]>([
    ["a file above MaxFileSize", () => Buffer.alloc(3_500_000, "text "), "limits-exceeded"],
    // Cut at MaxFileSize without a word (clamav#1832): what is said of it is said by MaxScanSize, which is no larger.
    ["a small zip of a file above MaxFileSize", () => zip("a.txt", longWithEicar()), "limits-exceeded"],
    ["an encrypted zip", () => zip("a.txt", eicar(), { encrypted: true }), "encrypted"],
    ["an empty file", () => Buffer.alloc(0), "empty"],
  ])("calls %s not scanned", async (_name, content, reason) => {
    expect(await scanned(clamd, content())).toMatchObject({ result: "SKIPPED", reason });
  });

  test("calls a file above StreamMaxLength too large, unless the reset overtakes the answer", async () => {
    const verdict = await scanned(clamd, Buffer.alloc(30_000_000, "text "));
    expect([
      { result: "SKIPPED", reason: "too-large", detail: expect.stringContaining("StreamMaxLength") },
      { result: "ERROR", reason: "dropped", detail: expect.stringContaining("was interrupted") },
    ]).toContainEqual(verdict);
  });

  test("keeps twenty scans at once apart", async () => {
    const contents = Array.from({ length: 20 }, (_, index) =>
      Buffer.concat([Buffer.alloc(200_000, `${index} `), index % 3 === 0 ? eicar() : Buffer.alloc(0)]),
    );
    const verdicts = await Promise.all(contents.map(async (content) => await scanned(clamd, content)));
    expect(verdicts.map(({ result }) => result)).toEqual(
      contents.map((_, index) => (index % 3 === 0 ? "INFECTED" : "CLEAN")),
    );
  });
});

test("with the defaults of clamd what it did not look into passes as OK: only maxBytes stands in the way", async () => {
  await using engine = await startClamd(["MaxFileSize 1M"]);
  const large = Buffer.concat([Buffer.alloc(2_000_000, "text "), eicar()]);
  expect((await scanned(engine.unix, large)).result).toBe("CLEAN");
  const within = { ...options, maxBytes: 1_000_000 };
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield large;
  }
  expect(await scanStream(whole(), engine.unix, within)).toMatchObject({
    result: "SKIPPED",
    reason: "too-large",
  });
  expect((await scanned(engine.unix, zip("a.txt", longWithEicar()))).result).toBe("CLEAN");
  const locked = zip("a.txt", eicar(), { encrypted: true });
  expect((await scanned(engine.unix, locked)).result).toBe("CLEAN");
});

test("a trial tells what an engine is set to say, and the largest content it takes", async () => {
  await using honest = await startClamd(["AlertExceedsMax yes", "AlertEncrypted yes", "StreamMaxLength 4M"]);
  await using silent = await startClamd(["MaxRecursion 100"]);
  const atLimit = { takesSize: true, tellsLimits: true, tellsEncrypted: true };
  for (const clamd of [honest.tcp, honest.unix]) {
    expect(await tryScanner(clamd, 4 * 1024 ** 2, options)).toMatchObject(atLimit);
    expect(await tryScanner(clamd, 4 * 1024 ** 2 + 1, options)).toMatchObject({
      ...atLimit,
      takesSize: false,
    });
  }
  expect(await tryScanner(silent.tcp, 100_000_000, options)).toMatchObject({
    takesSize: true,
    tellsLimits: false,
    tellsEncrypted: false,
  });
});

test("an engine killed within the content is a dropped connection, then no engine", async () => {
  await using engine = await startClamd();
  const scan = startScan(engine.tcp, options);
  await scan.write(eicar());
  const exited = once(engine.process, "exit");
  engine.process.kill("SIGKILL");
  await exited;
  await scan.write(Buffer.alloc(100_000));
  expect(await scan.end()).toMatchObject({ result: "ERROR", reason: "dropped" });
  for (const clamd of [engine.tcp, engine.unix]) {
    expect(await scanned(clamd, eicar())).toMatchObject({ result: "ERROR", reason: "engine-down" });
  }
});

test("an engine that hangs is a timeout, and works again when it goes on", async () => {
  await using engine = await startClamd();
  engine.process.kill("SIGSTOP");
  const scan = startScan(engine.unix, { ...options, timeoutMs: 300 });
  await scan.write(eicar());
  expect(await scan.end()).toMatchObject({ result: "ERROR", reason: "timeout" });
  engine.process.kill("SIGCONT");
  expect(await scanned(engine.unix, eicar())).toMatchObject(infected);
});

test("an engine that waits too long for the content says so", async () => {
  await using engine = await startClamd(["ReadTimeout 1", "CommandReadTimeout 1"]);
  const scan = startScan(engine.tcp, options);
  await scan.write(eicar());
  const waited = new Promise<void>((resolve) => {
    const look = setInterval(() => {
      if (!scan.isDecided()) return;
      clearInterval(look);
      resolve();
    }, 50);
  });
  await waited;
  expect(await scan.end()).toMatchObject({ result: "ERROR", reason: "timeout" });
});
