import { build } from "esbuild";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { storedChain } from "../../src/audit/entries.ts";
import { verifyTrail } from "../../src/audit/verify.ts";
import { connect } from "../../src/aws/clients.ts";
import { resolve } from "../../src/config/config.ts";
import { defaultNames } from "../../src/model/mawps.ts";
import { serveLocal } from "../../src/target.ts";

it("two processes extend one chain through a served store without a fork", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mawps-audit-"));
  const stop = new AbortController();
  const program = join(folder, "audit-process.cjs");
  await build({
    entryPoints: [fileURLToPath(new URL("./audit-process.ts", import.meta.url))],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "cjs",
    logLevel: "error",
  });
  const { config } = resolve({}, { MAWPS_HOME: join(folder, "store") }, undefined);
  const world = { cwd: folder, now: () => new Date(), signal: stop.signal };
  const server = await serveLocal(config, world, 0);
  const { endpoint: endpointUrl, accessKeyId, secretAccessKey } = server;
  const aws = connect({ region: "eu-central-1", endpointUrl, credentials: { accessKeyId, secretAccessKey } });
  const children = ["one", "other"].map((name) =>
    spawn(process.execPath, [program, endpointUrl, accessKeyId, secretAccessKey, name, "40"], {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  try {
    await Promise.all(children.map((child) => once(child.stdout, "data")));
    const ended = children.map((child) => once(child, "exit"));
    for (const child of children) child.stdin.write("go\n");
    expect((await Promise.all(ended)).map(([code]) => code as unknown)).toEqual([0, 0]);

    const site = { aws, table: defaultNames.tables.auditLog, bucket: defaultNames.buckets.userFiles };
    // Each writer: 30 single entries and 10 groups of three.
    const expected = Array.from({ length: 40 }, (_, at) => at + 1).flatMap((number) =>
      number % 4 === 0 ? [number, number, number] : [number],
    );
    const written = new Map<unknown, unknown[]>();
    for await (const { userId, details } of storedChain(site)) {
      const { sizeBytes } = details as { sizeBytes: number };
      written.set(userId, [...(written.get(userId) ?? []), sizeBytes]);
    }
    expect(written).toEqual(new Map(["one", "other"].map((name) => [name, expected])));
    const verifying = verifyTrail(site, new Date());
    expect(await verifying.next()).toEqual({
      done: true,
      value: {
        entries: 120,
        first: 1,
        last: 120,
        anchored: 120,
        notAnchored: 0,
        expired: 0,
        interrupted: 0,
        acknowledged: 0,
        faults: 0,
      },
    });
  } finally {
    for (const child of children) child.kill("SIGKILL");
    aws.close();
    stop.abort();
    await server.closed;
    await rm(folder, { recursive: true, force: true });
  }
});
