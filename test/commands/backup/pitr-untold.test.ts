import { afterEach, beforeEach, expect, it } from "vitest";
import type { Fault, SeenRequest } from "../../support/faulty-server.ts";
import { startFaultySite, type FaultySite } from "../../support/faulty-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;
let site: FaultySite;
let written: number;

beforeEach(async () => {
  home = await makeHome();
  site = await startFaultySite(home);
  written = 0;
});
afterEach(async () => {
  await site.close();
  await home.remove();
});

/** As a server answers that knows recovery, and no period of it. */
function periodless(status: "ENABLED" | "DISABLED") {
  return ({ headers }: SeenRequest): Fault | undefined => {
    const target = String(headers["x-amz-target"]);
    if (target.endsWith("UpdateContinuousBackups")) written += 1;
    else if (!target.endsWith("DescribeContinuousBackups")) return undefined;
    const now = target.endsWith("UpdateContinuousBackups") ? "ENABLED" : status;
    const recovery = {
      ContinuousBackupsStatus: "ENABLED",
      PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: now },
    };
    return {
      status: 200,
      headers: { "content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "1" },
      body: JSON.stringify({ ContinuousBackupsDescription: recovery }),
    };
  };
}

it.each([
  ["on", "ENABLED", 0],
  ["off", "DISABLED", 1],
] as const)(
  "recovery that is %s, of a server that tells no period, is not said to reach any days",
  async (_is, status, writes) => {
    site.server.fault = periodless(status);
    const argv = ["backup", "pitr", "enable", "--days", "14", "--table", "userProfiles", "--yes"];
    const { exitCode, stdout } = await site.run(argv);
    expect([exitCode, stdout, written]).toEqual([
      0,
      "mawps-user-profiles: recovery is on; how far back it reaches the server does not tell\n",
      writes,
    ]);
    const json = await site.run([...argv, "--json"]);
    expect(JSON.parse(json.stdout)).toEqual([{ table: "mawps-user-profiles", result: "period not told" }]);
  },
);
