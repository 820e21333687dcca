import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Clamd } from "../../src/scan/conversation.ts";
import { scanStream, startScan } from "../../src/scan/scan.ts";
import type { Verdict } from "../../src/scan/verdict.ts";
import {
  keepsOpenAfter,
  resetsAfter,
  says,
  saysInPieces,
  startFakeClamd,
  type Behaviour,
} from "./fake-clamd.ts";

const options = { timeoutMs: 20_000, maxBytes: 1_000_000 };
const ok = "stream: OK\0";
/** Some frames long, and more than one read of the server. */
const content = Buffer.alloc(200_000, "Lebenslauf ");

async function* inChunks(bytes: Buffer, chunkBytes = 70_000): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    yield bytes.subarray(start, start + chunkBytes);
  }
}

async function scanned(clamd: Clamd, bytes = content, timeoutMs = options.timeoutMs): Promise<Verdict> {
  return await scanStream(inChunks(bytes), clamd, { ...options, timeoutMs });
}

/** The verdict without its words. */
function gist(verdict: Verdict): string {
  if (verdict.result === "CLEAN") return "CLEAN";
  return verdict.result === "INFECTED"
    ? `INFECTED ${verdict.signature}`
    : `${verdict.result} ${verdict.reason}`;
}

function talksOn(connection: Socket): void {
  connection.write("x".repeat(1000), (error) => {
    if (error === undefined || error === null) talksOn(connection);
  });
}

const close = says("");
const reset = resetsAfter("");

describe("an engine that", () => {
  test.each<[string, Behaviour, string]>([
    ["answers as clamd does", { complete: says(ok) }, "CLEAN"],
    ["answers one byte at a time", { complete: saysInPieces(ok.split("")) }, "CLEAN"],
    ["answers in two frames", { complete: saysInPieces(["stream: O", "K\0"]) }, "CLEAN"],

    ["closes at once", { connected: close }, "ERROR dropped"],
    ["closes after the command", { command: close }, "ERROR dropped"],
    ["closes within the content", { content: close }, "ERROR dropped"],
    ["closes without an answer", { complete: close }, "ERROR dropped"],
    ["closes within its answer", { complete: says("stream: O") }, "ERROR dropped"],
    ["closes before the terminator", { complete: says("stream: OK") }, "ERROR dropped"],
    ["resets after the command", { command: reset }, "ERROR dropped"],
    ["resets within the content", { content: reset }, "ERROR dropped"],
    ["resets instead of an answer", { complete: reset }, "ERROR dropped"],
    ["resets within its answer", { complete: resetsAfter("stream: O") }, "ERROR dropped"],
    ["resets before the terminator", { complete: resetsAfter("stream: OK") }, "ERROR dropped"],
    ["resets after its whole answer", { complete: resetsAfter(ok) }, "CLEAN"],

    ["answers before the content", { command: says(ok) }, "ERROR unknown-answer"],
    ["answers within the content", { content: says(ok) }, "ERROR unknown-answer"],
    ["answers too early, then stays", { content: keepsOpenAfter(ok) }, "ERROR unknown-answer"],
    [
      "begins its answer too early",
      { command: keepsOpenAfter("stream: "), complete: says("OK\0") },
      "ERROR unknown-answer",
    ],
    ["answers twice", { complete: says(ok + ok) }, "ERROR unknown-answer"],
    ["answers twice, in pieces", { complete: saysInPieces([ok, ok]) }, "ERROR unknown-answer"],
    ["says more after its answer", { complete: says(`${ok}\n`) }, "ERROR dropped"],
    ["says more before its answer", { complete: says(`\0${ok}`) }, "ERROR unknown-answer"],
    ["answers in lower case", { complete: says("stream: ok\0") }, "ERROR unknown-answer"],
    ["answers in upper case", { complete: says("STREAM: OK\0") }, "ERROR unknown-answer"],
    ["answers about another file", { complete: says("/tmp/a: OK\0") }, "ERROR unknown-answer"],
    ["answers as in a session", { complete: says("1: stream: OK\0") }, "ERROR unknown-answer"],
    ["ends its answer with a line", { complete: says("stream: OK\n") }, "ERROR dropped"],
    ["ends its answer with a line too", { complete: says("stream: OK\n\0") }, "ERROR unknown-answer"],
    ["answers another question", { complete: says("PONG\0") }, "ERROR unknown-answer"],
    ["does not know the command", { complete: says("UNKNOWN COMMAND\0") }, "ERROR unknown-answer"],
    ["is a web server", { complete: says("HTTP/1.1 400 Bad Request\r\n\r\n") }, "ERROR dropped"],
    ["says nothing but terminators", { complete: says("\0\0\0") }, "ERROR unknown-answer"],
    ["answers a thousand times", { complete: says(ok.repeat(1000)) }, "ERROR unknown-answer"],
    ["never stops", { complete: talksOn }, "ERROR unknown-answer"],

    ["finds something", { complete: says("stream: Some.Name FOUND\0") }, "INFECTED Some.Name"],
    [
      "finds something and tells its digest",
      { complete: says("stream: Some.Name(69630e4574ec6798239b091cda43dca0:69) FOUND\0") },
      "INFECTED Some.Name",
    ],
    ["finds something early", { content: says("stream: Some.Name FOUND\0") }, "INFECTED Some.Name"],
    [
      "finds something and resets",
      { complete: resetsAfter("stream: Some.Name FOUND\0") },
      "INFECTED Some.Name",
    ],
    [
      "finds something after it found nothing",
      { complete: says(`${ok}stream: Some.Name FOUND\0`) },
      "INFECTED Some.Name",
    ],
    [
      "finds something behind a limit",
      {
        complete: says(
          "stream: Heuristics.Limits.Exceeded.MaxFiles FOUND\0stream: Some.Name.UNOFFICIAL FOUND\0",
        ),
      },
      "INFECTED Some.Name.UNOFFICIAL",
    ],
    ["finds something without a terminator", { complete: says("stream: Some.Name FOUND") }, "ERROR dropped"],

    [
      "meets a limit",
      { complete: says("stream: Heuristics.Limits.Exceeded.MaxScanSize FOUND\0") },
      "SKIPPED limits-exceeded",
    ],
    [
      "meets a limit of old",
      { complete: says("stream: Heuristics.Limits.Exceeded FOUND\0") },
      "SKIPPED limits-exceeded",
    ],
    [
      "meets something encrypted",
      { complete: says("stream: Heuristics.Encrypted.PDF FOUND\0") },
      "SKIPPED encrypted",
    ],
    ["takes no more", { content: says("INSTREAM size limit exceeded. ERROR\0") }, "SKIPPED too-large"],
    [
      "takes no more and says so at the end",
      { complete: says("INSTREAM size limit exceeded. ERROR\0") },
      "SKIPPED too-large",
    ],
    ["fails while it reads", { content: says("Temporary file -> write ERROR\0") }, "ERROR engine-error"],
    [
      "fails while it scans",
      { complete: says("stream: Can't allocate memory ERROR\0") },
      "ERROR engine-error",
    ],
    ["waited too long", { content: says("COMMAND READ TIMED OUT\n") }, "ERROR timeout"],

    ["tells no version", { complete: says(ok), version: close }, "ERROR dropped"],
    ["tells no version of clamd", { complete: says(ok), version: says("1.4.6\0") }, "ERROR unknown-answer"],
    ["resets when asked for its version", { complete: says(ok), version: reset }, "ERROR dropped"],
    [
      "finds something but tells no version",
      { complete: says("stream: Some.Name FOUND\0"), version: close },
      "INFECTED Some.Name",
    ],
  ])("%s", async (_name, behaviour, expected) => {
    await using fake = await startFakeClamd(behaviour);
    expect(gist(await scanned(fake.clamd))).toBe(expected);
  });

  test.concurrent.each<[string, Behaviour, string]>([
    ["is silent from the start", {}, "ERROR timeout"],
    ["does not read", { connected: (connection) => connection.pause() }, "ERROR timeout"],
    ["falls silent within its answer", { complete: keepsOpenAfter("stream: O") }, "ERROR timeout"],
    ["does not close after its answer", { complete: keepsOpenAfter(ok) }, "ERROR timeout"],
    [
      "finds something and does not close",
      { complete: keepsOpenAfter("stream: Some.Name FOUND\0") },
      "INFECTED Some.Name",
    ],
    ["tells no version and stays", { complete: says(ok), version: () => {} }, "ERROR timeout"],
  ])("%s", async (_name, behaviour, expected) => {
    await using fake = await startFakeClamd(behaviour);
    expect(gist(await scanned(fake.clamd, content, 1500))).toBe(expected);
  });

  test("resets at once: it was never there, or is gone", async () => {
    await using fake = await startFakeClamd({ connected: reset });
    expect(gist(await scanned(fake.clamd))).toMatch(/^ERROR (engine-down|dropped)$/);
  });

  test("takes no more and resets: says so, unless the reset overtakes its answer", async () => {
    await using fake = await startFakeClamd({
      content: resetsAfter("INSTREAM size limit exceeded. ERROR\0"),
    });
    expect(gist(await scanned(fake.clamd))).toMatch(/^(SKIPPED too-large|ERROR dropped)$/);
  });

  test("repeats what it is sent: nothing of the content is in the verdict", async () => {
    await using fake = await startFakeClamd({ connected: (connection) => connection.pipe(connection) });
    const verdict = await scanned(fake.clamd, Buffer.from("Geheim ERROR\0stream: OK\0"));
    expect(gist(verdict)).toBe("ERROR unknown-answer");
    expect(JSON.stringify(verdict)).not.toContain("Geheim");
  });

  test.each<[string, Clamd]>([
    ["listens on no port", { host: "127.0.0.1", port: 1 }],
    ["has no such host", { host: "clamd.invalid", port: 3310 }],
    ["has no port that exists", { host: "127.0.0.1", port: 70_000 }],
    ["has no such socket", { socket: "/nonexistent/clamd.sock" }],
    ["has a socket with an impossible name", { socket: `/tmp/${"x".repeat(300)}` }],
  ])("%s", async (_name, clamd) => {
    expect(gist(await scanned(clamd))).toBe("ERROR engine-down");
  });
});

test("nothing but the one answer, at its time, is clean, however it comes in pieces", async () => {
  const fragments = fc.constantFrom(
    "stream: ",
    "OK",
    "ok",
    " ",
    "\0",
    "\n",
    "FOUND",
    "ERROR",
    "1: ",
    "O",
    "K",
    ok,
  );
  const answers = fc.oneof(
    { weight: 1, arbitrary: fc.constant(ok) },
    { weight: 4, arbitrary: fc.array(fragments, { maxLength: 6 }).map((parts) => parts.join("")) },
    { weight: 1, arbitrary: fc.string({ unit: "binary-ascii", maxLength: 40 }) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.nat(ok.length), fc.nat(2), fc.string({ unit: "binary-ascii", maxLength: 2 }))
        .map(([at, cut, put]) => ok.slice(0, at) + put + ok.slice(at + cut)),
    },
  );
  const stages = fc.constantFrom("connected", "command", "content", "complete", "complete", "complete");
  const endings = fc.constantFrom("close", "close", "close", "reset");
  await fc.assert(
    fc.asyncProperty(answers, fc.nat(12), stages, endings, async (answer, at, stage, ending) => {
      const pieces = [answer.slice(0, at), answer.slice(at)].filter((piece) => piece !== "");
      const behave = ending === "close" ? saysInPieces(pieces) : resetsAfter(answer);
      await using fake = await startFakeClamd({ complete: close, [stage]: behave });
      const verdict = await scanned(fake.clamd);
      const allowed = answer === ok && stage === "complete" ? ["CLEAN"] : ["ERROR", "SKIPPED", "INFECTED"];
      expect(allowed).toContain(verdict.result);
    }),
    { numRuns: 400 },
  );
});

test("sends every byte once and in order, whatever the chunks", async () => {
  await using fake = await startFakeClamd({ complete: says(ok) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.nat(20), fc.nat(200_000), fc.constantFrom(65_535, 65_536, 65_537, 131_072))),
      fc.boolean(),
      async (lengths, inTurn) => {
        const chunks = lengths.map((length, index) => Buffer.alloc(length, `${index},`));
        const scan = startScan(fake.clamd, { ...options, maxBytes: 10_000_000 });
        const writes = [];
        for (const chunk of chunks) {
          const write = scan.write(chunk);
          if (inTurn) await write;
          writes.push(write);
        }
        const verdict = await scan.end();
        await Promise.all(writes);
        const whole = Buffer.concat(chunks);
        expect(gist(verdict)).toBe(whole.length === 0 ? "SKIPPED empty" : "CLEAN");
        expect(fake.contents.splice(0).every((content) => content.equals(whole))).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test("an empty content is never clean, and the engine is not asked", async () => {
  await using fake = await startFakeClamd({ complete: says(ok) });
  expect(gist(await scanned(fake.clamd, Buffer.alloc(0)))).toBe("SKIPPED empty");
  expect(fake.contents).toEqual([]);
});

test("a content of exactly maxBytes is scanned, one byte more is not clean", async () => {
  await using fake = await startFakeClamd({ complete: says(ok) });
  const limited = { ...options, maxBytes: content.length };
  expect(gist(await scanStream(inChunks(content), fake.clamd, limited))).toBe("CLEAN");
  const larger = Buffer.concat([content, Buffer.from("x")]);
  expect(gist(await scanStream(inChunks(larger), fake.clamd, limited))).toBe("SKIPPED too-large");
  const unlimited = { ...options, maxBytes: Number.NaN };
  expect(gist(await scanStream(inChunks(content), fake.clamd, unlimited))).toBe("SKIPPED too-large");
});

test.each<[string, Behaviour]>([
  ["is there", { complete: says(ok) }],
  ["breaks off in the middle", { content: reset }],
  ["takes no more", { content: resetsAfter("INSTREAM size limit exceeded. ERROR\0") }],
])("a reader goes through its whole content when the engine %s", async (_name, behaviour) => {
  await using fake = await startFakeClamd(behaviour);
  const scan = startScan(fake.clamd, options);
  const hash = createHash("sha256");
  for await (const chunk of inChunks(content)) {
    hash.update(chunk);
    await scan.write(chunk);
  }
  await scan.end();
  expect(hash.digest("hex")).toBe(createHash("sha256").update(content).digest("hex"));
});

test("an engine that does not read holds its reader back", async () => {
  await using fake = await startFakeClamd({ connected: (connection) => connection.pause() });
  let readBytes = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      readBytes += content.length;
      yield content;
    }
  }
  const unlimited = { timeoutMs: 500, maxBytes: Infinity };
  expect(gist(await scanStream(endless(), fake.clamd, unlimited))).toBe("ERROR timeout");
  expect(readBytes).toBeLessThan(50_000_000);
});

test("once the verdict stands the source is read no further", async () => {
  await using fake = await startFakeClamd({ content: reset });
  let closed = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield content;
    } finally {
      closed = true;
    }
  }
  expect(gist(await scanStream(endless(), fake.clamd, { ...options, maxBytes: Infinity }))).toBe(
    "ERROR dropped",
  );
  expect(closed).toBe(true);
});

test("an error of the source is the caller's, and the engine sees a broken connection", async () => {
  const broken = new Error("the disk is gone");
  let connectionClosed: Promise<unknown> = Promise.resolve();
  await using fake = await startFakeClamd({
    command(connection) {
      connectionClosed = once(connection, "close");
    },
    complete: says(ok),
  });
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield content;
    throw broken;
  }
  await expect(scanStream(failing(), fake.clamd, options)).rejects.toBe(broken);
  await connectionClosed;
  expect(fake.contents).toEqual([]);
});

test("the signal ends a scan with its reason, at whatever stage", async () => {
  const reason = new Error("interrupted");
  for (const stage of ["connected", "command", "content", "complete"] as const) {
    const controller = new AbortController();
    await using fake = await startFakeClamd({ [stage]: () => controller.abort(reason) });
    const scan = scanStream(inChunks(content), fake.clamd, { ...options, signal: controller.signal });
    await expect(scan).rejects.toBe(reason);
  }
  const nobody = { host: "127.0.0.1", port: 1 };
  const aborted = { ...options, signal: AbortSignal.abort(reason) };
  await expect(scanStream(inChunks(content), nobody, aborted)).rejects.toBe(reason);
});

test("a scan that was discarded is never clean", async () => {
  await using fake = await startFakeClamd({ complete: says(ok) });
  const scan = startScan(fake.clamd, options);
  await scan.write(content);
  scan.discard();
  await scan.write(content);
  expect(gist(await scan.end())).toBe("ERROR dropped");

  const untouched = startScan(fake.clamd, options);
  untouched.discard();
  await untouched.write(content);
  expect(gist(await untouched.end())).toBe("ERROR dropped");
  expect(fake.contents).toEqual([]);
});

test("a second end gives the same verdict, and nothing can be written after the first", async () => {
  await using fake = await startFakeClamd({ complete: says(ok) });
  const scan = startScan(fake.clamd, options);
  await scan.write(content);
  const verdict = scan.end();
  await expect(scan.write(content)).rejects.toThrow("the scan has ended");
  expect(await scan.end()).toBe(await verdict);
  expect(gist(await verdict)).toBe("CLEAN");
});
