import {
  ApplicationAutoScalingClient,
  DeleteScalingPolicyCommand,
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  PutScalingPolicyCommand,
  RegisterScalableTargetCommand,
} from "@aws-sdk/client-application-auto-scaling";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { localAutoScaling, localClosed, localCredentials } from "../src/index.ts";

const ServiceNamespace = "dynamodb" as const;
const place = {
  ServiceNamespace,
  ResourceId: "table/orders",
  ScalableDimension: "dynamodb:table:ReadCapacityUnits",
} as const;
const policy = {
  ...place,
  PolicyName: "half",
  PolicyType: "TargetTrackingScaling",
  TargetTrackingScalingPolicyConfiguration: { TargetValue: 50 },
} as const;

test("what may be scaled is kept with its policies, changed in parts, and let go of together", async () => {
  const dir = join(await mkdtemp(join(tmpdir(), "mawps-autoscaling-")), "store");
  const client = new ApplicationAutoScalingClient({
    region: "eu-central-1",
    maxAttempts: 1,
    requestHandler: localAutoScaling(dir) as never,
    credentials: localCredentials(dir),
  });
  const refusal = (sent: Promise<unknown>) => sent.catch((error: Error) => error.name);
  try {
    expect(await refusal(client.send(new PutScalingPolicyCommand(policy)))).toBe("ObjectNotFoundException");
    const register = (numbers: object) =>
      client.send(new RegisterScalableTargetCommand({ ...place, ...numbers }));
    expect(await refusal(register({ MinCapacity: 5 }))).toBe("ValidationException");
    expect(await refusal(register({ MinCapacity: 5, MaxCapacity: 4 }))).toBe("ValidationException");
    await register({ MinCapacity: 5, MaxCapacity: 40 });
    await register({ MaxCapacity: 50 });
    await client.send(new PutScalingPolicyCommand(policy));
    const { ScalableTargets } = await client.send(new DescribeScalableTargetsCommand({ ServiceNamespace }));
    expect(ScalableTargets).toMatchObject([{ ...place, MinCapacity: 5, MaxCapacity: 50 }]);
    const policies = async (more: object = {}) =>
      (await client.send(new DescribeScalingPoliciesCommand({ ServiceNamespace, ...more }))).ScalingPolicies;
    expect(await policies()).toMatchObject([policy]);
    expect(await policies({ ResourceId: "table/others" })).toEqual([]);
    const { PolicyName } = policy;
    await client.send(new DeleteScalingPolicyCommand({ ...place, PolicyName }));
    expect(await refusal(client.send(new DeleteScalingPolicyCommand({ ...place, PolicyName })))).toBe(
      "ObjectNotFoundException",
    );
    await client.send(new PutScalingPolicyCommand(policy));
    await client.send(new DeregisterScalableTargetCommand(place));
    expect(await policies()).toEqual([]);
  } finally {
    client.destroy();
    await localClosed(dir);
    await rm(join(dir, ".."), { recursive: true, force: true });
  }
});
