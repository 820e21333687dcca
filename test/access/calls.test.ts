import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { calls } from "../../src/access/calls.ts";
import { judge } from "../../src/access/evaluate.ts";
import { resourcesOf, type AccessSite } from "../../src/access/place.ts";
import { jobs, policiesFor } from "../../src/access/roles.ts";
import { configuredSite } from "../../src/target.ts";
import { iamRequests, type IamRequest } from "../support/iam-requests.ts";
import { putWholeSite } from "../support/whole-site.ts";
import { makeHome, type TestHome } from "../support/world.ts";

/*
 * The commands that CI runs, on a site with something of everything: each request is allowed by the role's policies, each action in
 * the table of calls is asked for, and nothing is asked for that the table has not.
 */

let home: TestHome;
let site: AccessSite;

const repo = ["--repo", "s3://mawps-backups/nightly"];

beforeAll(async () => {
  home = await makeHome();
  await putWholeSite(home);
  site = await home.look(async (aws, config) => {
    await (await aws.s3()).send(new CreateBucketCommand({ Bucket: "mawps-backups" }));
    return {
      model: config.site,
      declaration: configuredSite(config),
      account: "123456789012",
      repository: { bucket: "mawps-backups", prefix: "nightly/" },
    };
  });
});
afterAll(() => home.remove());

async function asked(argv: readonly string[], env: Record<string, string> = {}): Promise<IamRequest[]> {
  home.requests.length = 0;
  const { exitCode, stderr } = await home.run(argv, { env });
  expect({ argv, exitCode, stderr }).toEqual({ argv, exitCode: 0, stderr: expect.any(String) });
  return home.requests.flatMap(iamRequests).filter(({ action }) => action !== "sts:GetCallerIdentity");
}

/** Runs in this order: each leaves what the next has to do with. */
const runs: readonly { command: string; argv: readonly string[]; daysLater?: number }[] = [
  { command: "backup create", argv: repo },
  { command: "backup create", argv: repo, daysLater: 1 },
  { command: "backup list", argv: repo },
  { command: "backup verify", argv: repo },
  { command: "backup drill", argv: repo },
  { command: "backup prune", argv: [...repo, "--keep-last", "1", "--yes"] },
  { command: "retention plan", argv: [], daysLater: 100 },
  { command: "retention run", argv: ["--yes"] },
  { command: "audit verify", argv: [] },
];

it("of each command of the jobs there is a run", () => {
  expect([...new Set(runs.map(({ command }) => command))]).toEqual([
    ...jobs["ci-backup"],
    ...jobs["ci-retention"],
  ]);
});

describe("what the jobs ask of AWS", () => {
  const seen = new Map<string, IamRequest[]>();
  beforeAll(async () => {
    // A prune keeps a lease by the clock, of which so many requests take much.
    home.tickMs = 10;
    for (const { command, argv, daysLater = 0 } of runs) {
      home.laterMs += daysLater * 86_400_000;
      const requests = await asked([...command.split(" "), ...argv]);
      seen.set(command, [...(seen.get(command) ?? []), ...requests]);
    }
  });

  it.each([...new Set(runs.map(({ command }) => command))])("%s is allowed by its role", (command) => {
    const requests = seen.get(command) ?? [];
    const role = command.startsWith("backup ") ? "ci-backup" : "ci-retention";
    const { policies } = policiesFor(role, site);
    const refused = requests.filter((request) => judge(policies, request) !== "allowed");
    expect(new Set(refused.map(({ action, resource }) => `${action} ${resource}`))).toEqual(new Set());
    expect(requests.length).toBeGreaterThan(0);
  });

  it("how they ended, they put where their role may", async () => {
    const requests = await asked(["audit", "verify"], { MAWPS_METRICS_NAMESPACE: "Site" });
    expect(requests.map(({ action }) => action)).toContain("cloudwatch:PutMetricData");
    const verdicts = (metrics: string | undefined) => {
      const { policies } = policiesFor("ci-retention", { ...site, metrics });
      return new Set(requests.map((request) => judge(policies, request)));
    };
    expect(verdicts("Site")).toEqual(new Set(["allowed"]));
    expect(verdicts("Other")).toEqual(new Set(["allowed", "not allowed"]));
    expect(verdicts(undefined)).toEqual(new Set(["allowed", "not allowed"]));
  });

  it.each(Object.entries(calls))("%s: the table has what is asked, and no more", (command, needed) => {
    const requests = seen.get(command) ?? [];
    const policyOf = ({ action, on }: (typeof needed)[number]) => ({
      Statement: { Effect: "Allow" as const, Action: action, Resource: resourcesOf(on, site) },
    });
    const unlisted = requests.filter((request) => judge(needed.map(policyOf), request) !== "allowed");
    expect(new Set(unlisted.map(({ action, resource }) => `${action} ${resource}`))).toEqual(new Set());
    const unused = needed.filter(
      (each) =>
        each.rare === undefined &&
        !requests.some((request) => judge([policyOf(each)], request) === "allowed"),
    );
    expect(unused).toEqual([]);
  });
});
