import { UpdateContinuousBackupsCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import {
  enableRecoveries,
  recoveryChanges,
  recoveryStatus,
  untoldPeriods,
  type RecoveryStatus,
} from "../../src/backup/pitr.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { makeNativeWorld, migrations, profiles } from "./native-world.ts";

const { tables } = mawps(defaultNames);

function status(state: RecoveryStatus["state"], days?: number): RecoveryStatus {
  return { role: "userProfiles", table: profiles, state, days, earliest: undefined, latest: undefined };
}

describe("what has to change", () => {
  it.each<[string, RecoveryStatus, number | undefined, number | undefined]>([
    ["is all where recovery is off", status("off"), undefined, 35],
    ["is the period where it is too short", status("on", 7), undefined, 35],
    ["is as long as asked", status("off"), 7, 7],
    ["is nothing where it reaches far enough", status("on", 35), undefined, undefined],
    ["is nothing where a shorter one is asked", status("on", 35), 7, undefined],
    [
      "is nothing where the server tells no period: AWS's own is the longest",
      status("on"),
      undefined,
      undefined,
    ],
    ["is nothing without a table", status("no table"), undefined, undefined],
    ["is nothing where it cannot be read", status("may not be read"), undefined, undefined],
    ["is nothing where the server does not know it", status("unknown to this server"), undefined, undefined],
  ])("%s", (_name, found, days, wanted) => {
    expect(recoveryChanges(tables, [found], days).map((change) => change.days)).toEqual(
      wanted === undefined ? [] : [wanted],
    );
  });
});

it("names the tables of which the server does not tell for how long their recovery is", () => {
  const told = { ...status("on", 14), table: "told" };
  const untold = { ...status("on"), table: "untold" };
  expect(untoldPeriods([told, untold, { ...status("off"), table: "off" }])).toEqual(["untold"]);
  expect(recoveryChanges(tables, [untold], 14)).toEqual([]);
});

it("switches recovery on where it is off, and records it", async () => {
  const world = await makeNativeWorld();
  try {
    const dynamodb = await world.aws.dynamodb();
    await dynamodb.send(
      new UpdateContinuousBackupsCommand({
        TableName: profiles,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: false },
      }),
    );
    const before = await recoveryStatus(world.site, tables);
    expect(before.map(({ table, state, days }) => [table, state, days])).toEqual([
      [profiles, "off", undefined],
      ["mawps-digital-twin", "no table", undefined],
      ["mawps-audit-log", "no table", undefined],
      [migrations, "on", 35],
    ]);
    const changes = recoveryChanges(tables, before, 14);
    expect(await enableRecoveries(world.site, changes)).toEqual([
      { role: "userProfiles", table: profiles, days: 14, daysBefore: undefined, isDone: true, daysNow: 14 },
    ]);
    const [after] = await recoveryStatus(world.site, tables.slice(0, 1));
    expect(after).toMatchObject({ state: "on", days: 14 });
    expect(after?.earliest).toBeInstanceOf(Date);
    expect(world.events).toMatchObject([
      {
        action: "table.recovery-enabled",
        details: { table: profiles, role: "userProfiles", days: 14 },
      },
    ]);
  } finally {
    await world.close();
  }
});
