// What a person waits for with the region far away: each command through a proxy whose every answer comes late. Prints calls,
// calls one after another (the longest chain of calls of which each began when the one before had ended) and wall time.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { environment, mawps, report, serveStore, temporaryFolder } from "./measure.mjs";

const lateMs = 60;

/** Each command with its bar in calls one after another; a name in `{}` is a document's id. */
const commands = [
  { name: "hero show", argv: ["hero", "show"], bar: 2 },
  { name: "hero set", argv: ["hero", "set", "photo.png", "--no-verify"], bar: 4 },
  { name: "doc upload", argv: ["doc", "upload", "user-1", "0.txt", "--type", "cv"], bar: 5 },
  {
    name: "doc upload of ten",
    argv: [
      "doc",
      "upload",
      "user-1",
      ...Array.from({ length: 10 }, (_, at) => `${at + 1}.txt`),
      "--type",
      "cv",
    ],
    bar: 7,
  },
  { name: "doc list", argv: ["doc", "list", "user-1"], bar: 2 },
  { name: "doc get", argv: ["doc", "get", "user-1", "{id}", "-o", "out", "--overwrite"], bar: 2 },
  { name: "doc url", argv: ["doc", "url", "user-1", "{id}", "--allow-unscanned"], bar: 4 },
  { name: "twin migrate", argv: ["twin", "migrate", "twin.json"], bar: 5 },
  { name: "retention plan", argv: ["retention", "plan"], bar: 4 },
  { name: "doctor", argv: ["doctor"], bar: 4, mayFind: true },
  { name: "doctor of prework", argv: ["doctor", "--model", "prework"], bar: 5, mayFind: true },
  { name: "backup create", argv: ["backup", "create"], bar: 8 },
];

export async function latency() {
  const folder = temporaryFolder();
  const home = join(folder, "store");
  const env = environment({ MAWPS_HOME: home, MAWPS_YES: "true" });
  for (let at = 0; at <= 10; at += 1) writeFileSync(join(folder, `${at}.txt`), `document ${at}\n`);
  writeFileSync(join(folder, "twin.json"), JSON.stringify({ personality: { traits: "calm" } }));
  writeFileSync(join(folder, "photo.png"), await picture());
  await called(["setup"], { env, folder });
  await called(["setup", "--model", "prework"], { env, folder });
  await called(["doc", "upload", "user-1", "10.txt", "--type", "certificates", "--create-profile"], {
    env,
    folder,
  });
  const served = await serveStore(home);
  const proxy = await lateProxy(served.endpoint);
  const far = environment({
    ...served.env,
    MAWPS_TARGET: "aws",
    MAWPS_YES: "true",
    MAWPS_BACKUP_REPOSITORY: join(folder, "backups"),
    AWS_ENDPOINT_URL: proxy.endpoint,
  });
  console.log(`\nlatency (every answer ${lateMs} ms late)`);
  try {
    const listed = await called(["doc", "list", "user-1", "--json"], { env: far, folder });
    const { id } = JSON.parse(listed.split("\n")[0]);
    for (const { name, argv, bar, mayFind = false } of commands) {
      proxy.calls.length = 0;
      const started = performance.now();
      const words = argv.map((word) => (word === "{id}" ? id : word));
      await called(words, { env: far, folder, allowed: mayFind ? [0, 4] : [0] });
      const seconds = (performance.now() - started) / 1000;
      report(`${name}: ${proxy.calls.length} calls, ${seconds.toFixed(2)} s`, inARow(proxy.calls), bar, "");
    }
  } finally {
    await proxy.stop();
    await served.stop();
  }
}

/** Runs mawps to its end and answers what it printed. */
async function called(argv, { env, folder, allowed = [0] }) {
  const [node, program] = mawps;
  const child = spawn(node, [program, ...argv], { env, cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
  const code = await new Promise((done) => void child.once("close", done));
  if (!allowed.includes(code)) throw new Error(`mawps ${argv.join(" ")} ended with ${code}:\n${err}`);
  return out;
}

/** A server that passes each request on and holds its answer back; it notes when each began and ended. */
async function lateProxy(behind) {
  const calls = [];
  const server = createServer((asked, answer) => {
    const call = { began: performance.now(), ended: Number.POSITIVE_INFINITY };
    calls.push(call);
    const { host, port } = new URL(behind);
    const passed = request({
      host: host.split(":")[0],
      port,
      method: asked.method,
      path: asked.url,
      headers: asked.headers,
    });
    passed.once("response", (got) =>
      setTimeout(() => {
        answer.writeHead(got.statusCode, got.headers);
        got.pipe(answer);
        call.ended = performance.now();
      }, lateMs),
    );
    passed.once("error", () => answer.destroy());
    asked.pipe(passed);
  });
  await new Promise((done) => void server.listen(0, "127.0.0.1", done));
  return {
    calls,
    endpoint: `http://127.0.0.1:${server.address().port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => void server.close(done));
    },
  };
}

/** The longest chain of calls of which each began when the one before had ended. */
function inARow(calls) {
  const byEnd = [...calls].sort((one, other) => one.ended - other.ended);
  const lengths = [];
  for (const [at, { began }] of byEnd.entries()) {
    const before = byEnd.slice(0, at).map(({ ended }, place) => (ended <= began ? lengths[place] : 0));
    lengths.push(1 + Math.max(0, ...before));
  }
  return Math.max(0, ...lengths);
}

async function picture() {
  const { default: sharp } = await import("sharp");
  return sharp({ create: { width: 1600, height: 1200, channels: 3, background: "#336699" } })
    .png()
    .toBuffer();
}
