// Start-up: what a person waits for before anything happens.
import { existsSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { environment, inTurn, mawps, report, root, serveStore, temporaryFolder } from "./measure.mjs";

const node = { command: [process.execPath, "-e", "0"] };
const aws = "/usr/bin/aws";

export async function start(runs = 20) {
  const times = inTurn(
    {
      node,
      help: { command: [...mawps, "--help"] },
      version: { command: [...mawps, "--version"] },
      ...(existsSync(aws) ? { aws: { command: [aws, "--version"] } } : {}),
    },
    runs,
  );
  console.log(`\nstart (medians of ${runs}; node -e 0: ${times.node.toFixed(1)} ms)`);
  report("mawps --help against node -e 0", times.help / times.node, 1.5);
  report("mawps --version against node -e 0", times.version / times.node, 1.5);
  if (times.aws !== undefined)
    console.log(`     aws --version against node -e 0: ${(times.aws / times.node).toFixed(1)} x`);

  const home = join(temporaryFolder(), "store");
  prepare(home);
  const local = inTurn(
    { node, show: { command: [...mawps, "hero", "show", "--json"], env: { MAWPS_HOME: home } } },
    runs,
  );
  report("mawps hero show --json on the local store", local.show / local.node, 4);

  const served = await serveStore(home);
  try {
    const show = [...mawps, "hero", "show", "--json", "--target", "aws", "--endpoint-url", served.endpoint];
    const key = '{"userId":{"S":"owner"}}';
    const get = [aws, "dynamodb", "get-item", "--table-name", "mawps-user-profiles", "--key", key];
    const http = inTurn(
      {
        node,
        show: { command: show, env: served.env },
        ...(existsSync(aws)
          ? { aws: { command: [...get, "--endpoint-url", served.endpoint], env: served.env } }
          : {}),
      },
      runs,
    );
    report("mawps hero show --json against an HTTP endpoint", http.show / http.node, 3);
    if (http.aws !== undefined)
      console.log(`     aws dynamodb get-item, the same: ${(http.aws / http.node).toFixed(1)} x`);
  } finally {
    await served.stop();
  }
}

/** A store with a hero image in it. */
function prepare(home) {
  const env = environment({ MAWPS_HOME: home });
  const script = `require("sharp")({create:{width:64,height:48,channels:3,background:"#336699"}}).jpeg().toBuffer().then((b)=>process.stdout.write(b))`;
  const { stdout } = spawnSync(process.execPath, ["-e", script], { cwd: root });
  const { status, stderr } = spawnSync(mawps[0], [mawps[1], "hero", "set", "-"], { env, input: stdout });
  if (status !== 0) throw new Error(String(stderr));
}
