import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { startFaultySite, type FaultySite } from "../support/faulty-site.ts";
import { makeHome, type TestHome } from "../support/world.ts";

let home: TestHome;
let site: FaultySite;

beforeEach(async () => {
  home = await makeHome();
  site = await startFaultySite(home);
});
afterEach(async () => {
  await site.close();
  await home.remove();
});

it("the line that tells where a command works names AWS, or the server, without a gap", async () => {
  const argv = ["hero", "rm", "--yes"];
  const named = await site.run(argv);
  // The SDK finds the server by itself: to the command it is AWS.
  vi.stubEnv("AWS_ENDPOINT_URL", site.server.url);
  const aws = await home.run(argv, { env: { MAWPS_TARGET: "aws", AWS_REGION: "eu-central-1" } });
  expect([named.exitCode, aws.exitCode]).toEqual([0, 0]);
  expect(named.stderr).toMatch(
    new RegExp(`^aws ${site.server.url}, account 000000000000, region eu-central-1$`, "m"),
  );
  expect(aws.stderr).toMatch(/^aws, account 000000000000, region eu-central-1$/m);
});

it("names the way to AWS that the site has: init is for MAWPS alone", async () => {
  const notes = async (model: string) => {
    const env = { MAWPS_MODEL: model, MAWPS_HOME: join(home.folder, model) };
    return (await home.run(["audit", "list"], { env })).stderr;
  };
  expect(await notes("mawps")).toContain("(nothing here touches AWS; `mawps init` configures it)");
  expect(await notes("prework")).toContain("(nothing here touches AWS; `--target aws` does)");
});
