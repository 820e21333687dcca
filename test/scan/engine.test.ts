import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readVersion, scannerFacts } from "../../src/scan/engine.ts";
import { fakeVersion, says, saysInPieces, startFakeClamd, type Behaviour } from "./fake-clamd.ts";

test.each([
  [fakeVersion, "1.4.6", { version: 27461, date: "2026-11-20" }],
  ["ClamAV 0.103.12/27100/Sat Nov  9 09:31:02 2024", "0.103.12", { version: 27100, date: "2024-11-09" }],
  ["ClamAV 1.5.0-beta", "1.5.0-beta", undefined],
  ["ClamAV 1.4.6/27461/Fri Foo 20 09:31:00 2026", "1.4.6", { version: 27461, date: undefined }],
])("reads the version line %j", (engine, engineVersion, signatures) => {
  expect(readVersion(engine)).toEqual({ engine, engineVersion, signatures });
});

test.each([
  "",
  "ClamAV",
  "ClamAV ",
  "PONG",
  "clamav 1.4.6",
  "ClamAV 1.4.6/",
  `${fakeVersion}\n`,
  ` ${fakeVersion}`,
])("takes %j for no version", (line) => {
  expect(readVersion(line)).toBeUndefined();
});

test("what is taken for a version is one printable line", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
      expect(readVersion(`ClamAV ${text}`)?.engine ?? "none").toMatch(/^[\x20-\x7e]+$/);
    }),
  );
});

const options = { timeoutMs: 20_000 };

test("tells engine and signatures, also when the answer comes in pieces", async () => {
  await using fake = await startFakeClamd({ version: saysInPieces(`${fakeVersion}\0`.split("")) });
  expect(await scannerFacts(fake.clamd, options)).toEqual({
    engine: fakeVersion,
    engineVersion: "1.4.6",
    signatures: { version: 27461, date: "2026-11-20" },
  });
});

test.each<[string, Behaviour, string]>([
  ["closes", { connected: says("") }, "dropped"],
  ["closes without a version", { version: says("") }, "dropped"],
  ["closes within its answer", { version: says(fakeVersion) }, "dropped"],
  ["answers PING otherwise", { ping: says("PANG\0") }, "unknown-answer"],
  ["answers twice", { ping: says("PONG\0PONG\0") }, "unknown-answer"],
  ["is something else", { version: says("ERR unknown command\0") }, "unknown-answer"],
])("an engine that %s is none", async (_name, behaviour, reason) => {
  await using fake = await startFakeClamd(behaviour);
  expect(await scannerFacts(fake.clamd, options)).toMatchObject({ result: "ERROR", reason });
});

test("an engine that is silent is none", async () => {
  await using fake = await startFakeClamd({ ping: () => {} });
  expect(await scannerFacts(fake.clamd, { timeoutMs: 300 })).toMatchObject({
    result: "ERROR",
    reason: "timeout",
  });
});

test("an engine that is not there is named with its address", async () => {
  expect(await scannerFacts({ host: "127.0.0.1", port: 1 }, options)).toEqual({
    result: "ERROR",
    reason: "engine-down",
    detail: "no connection to clamd at 127.0.0.1:1 (ECONNREFUSED)",
  });
});

test("the signal ends the question with its reason", async () => {
  const reason = new Error("interrupted");
  const controller = new AbortController();
  await using fake = await startFakeClamd({ ping: () => controller.abort(reason) });
  await expect(scannerFacts(fake.clamd, { ...options, signal: controller.signal })).rejects.toBe(reason);
});
