import {
  DeleteScalingPolicyCommand,
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  RegisterScalableTargetCommand,
} from "@aws-sdk/client-application-auto-scaling";
import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, expect, it } from "vitest";
import { judge } from "../../src/access/evaluate.ts";
import { policiesFor } from "../../src/access/roles.ts";
import type { Aws } from "../../src/aws/clients.ts";
import { declarationOf } from "../../src/model/declare.ts";
import { readModel } from "../../src/model/read.ts";
import type { Model } from "../../src/model/schema.ts";
import { applySetup } from "../../src/setup/apply.ts";
import { planSetup } from "../../src/setup/plan.ts";
import { openSite, region, type Site } from "./site.ts";

const capacity = { read: { min: 5, max: 50 }, write: { min: 10, max: 40, target: 60 } };

function modelWith(table: object): Model {
  const reading = readModel(
    JSON.stringify({
      name: "shop",
      region,
      buckets: {},
      tables: { orders: { name: "shop-orders", key: "id", ...table } },
      subjects: { customer: { what: "customer", ids: ["customerId"], accounts: "cognito" } },
      userPool: true,
      entities: {
        orders: {
          what: "orders",
          from: { table: "orders" },
          fields: { id: "text", customerId: "text" },
          links: [
            {
              subject: "customer",
              role: "subject",
              by: "customerId",
              find: { index: "Customer-Index" },
              erase: "delete",
            },
          ],
        },
      },
    }),
  );
  if ("faults" in reading) throw new Error(JSON.stringify(reading.faults));
  return reading.model;
}

const indexes = { "Customer-Index": { key: "customerId" } };
const names = { region, buckets: {}, tables: {}, websiteOrigins: ["*"] };
const scaling = modelWith({ indexes, capacity });
const onDemand = modelWith({ indexes });

let site: Site;
let aws: Aws;
beforeEach(async () => {
  site = await openSite();
  aws = site.aws;
});
afterEach(() => site.close());

async function setUp(model: Model, { fix = false } = {}) {
  const { failed, unsupported } = await applySetup(
    aws,
    await planSetup(aws, declarationOf(model, names, {})),
    { fix, firstDelayMs: 1 },
  );
  expect([failed, unsupported]).toEqual([[], []]);
}

async function capacityStep(model: Model) {
  const plan = await planSetup(aws, declarationOf(model, names, {}));
  const step = plan.find(({ aspect }) => aspect === "capacity");
  return [step?.kind, step?.from, step?.to];
}

/** As other clients see it. */
async function registered() {
  const [client, dynamodb] = await Promise.all([aws.autoscaling(), aws.dynamodb()]);
  const ServiceNamespace = "dynamodb" as const;
  const [{ ScalableTargets = [] }, { ScalingPolicies = [] }, { Table }] = await Promise.all([
    client.send(new DescribeScalableTargetsCommand({ ServiceNamespace })),
    client.send(new DescribeScalingPoliciesCommand({ ServiceNamespace })),
    dynamodb.send(new DescribeTableCommand({ TableName: "shop-orders" })),
  ]);
  const targets = ScalableTargets.map(({ ResourceId, ScalableDimension, MinCapacity, MaxCapacity }) => {
    const policy = ScalingPolicies.find(
      (each) => each.ResourceId === ResourceId && each.ScalableDimension === ScalableDimension,
    );
    const target = policy?.TargetTrackingScalingPolicyConfiguration?.TargetValue;
    return `${ResourceId} ${ScalableDimension} ${MinCapacity}-${MaxCapacity} at ${target}`;
  });
  const units = [Table, ...(Table?.GlobalSecondaryIndexes ?? [])].map((each) => [
    each?.ProvisionedThroughput?.ReadCapacityUnits,
    each?.ProvisionedThroughput?.WriteCapacityUnits,
  ]);
  return { targets: targets.sort(), units };
}

const all = [
  "table/shop-orders dynamodb:table:ReadCapacityUnits 5-50 at 70",
  "table/shop-orders dynamodb:table:WriteCapacityUnits 10-40 at 60",
  "table/shop-orders/index/Customer-Index dynamodb:index:ReadCapacityUnits 5-50 at 70",
  "table/shop-orders/index/Customer-Index dynamodb:index:WriteCapacityUnits 10-40 at 60",
];
const asText = "5 to 50 read units at 70 %, 10 to 40 write units at 60 %";

it("makes a table whose units and whose indexes' units AWS scales", async () => {
  expect(await capacityStep(scaling)).toEqual(["add", undefined, asText]);
  await setUp(scaling);
  expect(await registered()).toEqual({
    targets: all,
    units: [
      [5, 10],
      [5, 10],
    ],
  });
  expect(await capacityStep(scaling)).toEqual(["ok", undefined, asText]);
});

it("leaves what somebody has changed until it is asked to mend it, and adds what was never set up", async () => {
  await setUp(modelWith({ capacity, indexes }));
  const client = await aws.autoscaling();
  const place = {
    ServiceNamespace: "dynamodb",
    ResourceId: "table/shop-orders",
    ScalableDimension: "dynamodb:table:ReadCapacityUnits",
  } as const;
  await client.send(new RegisterScalableTargetCommand({ ...place, MaxCapacity: 500 }));
  await setUp(scaling);
  expect(await capacityStep(scaling)).toEqual(["change", "read units 5 to 500 at 70 %", asText]);
  await setUp(scaling, { fix: true });
  expect((await registered()).targets).toEqual(all);
  // A target without a policy scales nothing.
  const PolicyName = "DynamoDBReadCapacityUtilization:table/shop-orders";
  await client.send(new DeleteScalingPolicyCommand({ ...place, PolicyName }));
  expect(await capacityStep(scaling)).toEqual(["change", "read units do not scale", asText]);
  // An index that the model has since.
  const more = modelWith({ capacity, indexes: { ...indexes, "Id-Index": { key: "id" } } });
  await setUp(scaling, { fix: true });
  expect((await capacityStep(more)).slice(0, 2)).toEqual([
    "add",
    "read units of Id-Index do not scale, write units of Id-Index do not scale",
  ]);
  await setUp(more);
  expect((await registered()).targets).toHaveLength(6);
});

it("leaves a table on demand that is so until it is asked, and the other way round", async () => {
  await setUp(onDemand);
  await setUp(scaling);
  expect(await capacityStep(scaling)).toEqual(["change", "on demand", asText]);
  expect((await registered()).targets).toEqual([]);
  await setUp(scaling, { fix: true });
  expect(await registered()).toEqual({
    targets: all,
    units: [
      [5, 10],
      [5, 10],
    ],
  });
  expect(await capacityStep(onDemand)).toEqual(["change", "provisioned", "on demand"]);
});

it("needs rights that the owner's policies have, and no others' do", () => {
  const siteOf = (model: Model) => ({
    model,
    declaration: declarationOf(model, names, {}),
    account: "123456789012",
  });
  const actions = (role: "owner" | "admin" | "website", model: Model) =>
    policiesFor(role, siteOf(model))
      .policies.flatMap(({ Statement }) => Statement.flatMap(({ Action }) => Action))
      .filter((action) => action.startsWith("application-autoscaling:"));
  const seen = [
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
  ];
  expect(actions("owner", scaling).sort()).toEqual([
    ...seen,
    "application-autoscaling:PutScalingPolicy",
    "application-autoscaling:RegisterScalableTarget",
  ]);
  expect(actions("admin", scaling)).toEqual(seen);
  expect(actions("website", scaling)).toEqual([]);
  expect(actions("owner", onDemand)).toEqual([]);
  const owner = policiesFor("owner", siteOf(scaling)).policies;
  const of = (service: string) => ({
    action: "application-autoscaling:RegisterScalableTarget",
    resource: `arn:aws:application-autoscaling:${region}:123456789012:scalable-target/x`,
    context: { "application-autoscaling:service-namespace": service },
  });
  expect(judge(owner, of("dynamodb"))).not.toEqual(judge(owner, of("ecs")));
});
