import type { TableCapacity, UnitRange } from "../../model/declaration.ts";
import type { Aws } from "../clients.ts";
import { onwards } from "../paging.ts";
import { abortable } from "../s3/objects.ts";
import { reading, type Reading } from "../setting.ts";

/** How the units of a table, or of a global index of it, are scaled by themselves. */
export interface StoredScaling {
  /** Undefined for the table itself. */
  readonly index: string | undefined;
  readonly kind: keyof TableCapacity;
  readonly min: number;
  readonly max: number;
  /** Percent of the units that are to be in use; undefined where no policy says so, and nothing is scaled. */
  readonly target: number | undefined;
}

/** A table with those of its global indexes that count. */
interface Scaled {
  readonly table: string;
  readonly indexes: readonly string[];
}

const namespace = "dynamodb" as const;

const dimensions = {
  read: {
    ofTable: "dynamodb:table:ReadCapacityUnits",
    ofIndex: "dynamodb:index:ReadCapacityUnits",
    metric: "DynamoDBReadCapacityUtilization",
  },
  write: {
    ofTable: "dynamodb:table:WriteCapacityUnits",
    ofIndex: "dynamodb:index:WriteCapacityUnits",
    metric: "DynamoDBWriteCapacityUtilization",
  },
} as const;

const kinds = ["read", "write"] as const;

/** A call takes so many resources; a table has 20 global indexes unless AWS was asked for more. */
const mostResources = 50;

/** How a table and its indexes are scaled; of each what is registered. */
export async function readScaling(
  aws: Aws,
  { table, indexes }: Scaled,
  signal?: AbortSignal,
): Promise<Reading<readonly StoredScaling[]>> {
  const places = [undefined, ...indexes].slice(0, mostResources);
  const ids = places.map((index) => resourceId(table, index));
  const [client, { DescribeScalableTargetsCommand }] = await Promise.all([
    aws.autoscaling(),
    import("./sdk.ts"),
  ]);
  return reading(async () => {
    const targets = async () => {
      const found = [];
      const onward = onwards<string>("scalable targets");
      let next: string | undefined;
      do {
        const input = { ServiceNamespace: namespace, ResourceIds: ids, NextToken: next };
        const page = await client.send(new DescribeScalableTargetsCommand(input), abortable(signal));
        found.push(...(page.ScalableTargets ?? []));
        next = onward(page.NextToken);
      } while (next !== undefined);
      return found;
    };
    const [registered, ...policies] = await Promise.all([
      targets(),
      ...ids.map((id) => readPolicies(aws, id, signal)),
    ]);
    return places.flatMap((index, at) =>
      kinds.flatMap((kind): StoredScaling[] => {
        const dimension = dimensionOf(kind, index);
        const found = registered.find(
          ({ ResourceId, ScalableDimension }) => ResourceId === ids[at] && ScalableDimension === dimension,
        );
        if (found === undefined) return [];
        const isScaled = found.SuspendedState?.DynamicScalingOutSuspended !== true;
        return [
          {
            index,
            kind,
            min: found.MinCapacity ?? 0,
            max: found.MaxCapacity ?? 0,
            target: isScaled ? policies[at]?.get(dimension) : undefined,
          },
        ];
      }),
    );
  });
}

/** What each dimension of a table or index is to be used by, in percent, of those whose policy tracks that. */
async function readPolicies(
  aws: Aws,
  id: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, number>> {
  const [client, { DescribeScalingPoliciesCommand }] = await Promise.all([
    aws.autoscaling(),
    import("./sdk.ts"),
  ]);
  const found = new Map<string, number>();
  const onward = onwards<string>("scaling policies");
  let next: string | undefined;
  do {
    const input = { ServiceNamespace: namespace, ResourceId: id, NextToken: next };
    const page = await client.send(new DescribeScalingPoliciesCommand(input), abortable(signal));
    for (const policy of page.ScalingPolicies ?? []) {
      const { TargetValue, PredefinedMetricSpecification } =
        policy.TargetTrackingScalingPolicyConfiguration ?? {};
      const isOurs = kinds.some(
        (kind) => dimensions[kind].metric === PredefinedMetricSpecification?.PredefinedMetricType,
      );
      if (isOurs && TargetValue !== undefined) found.set(policy.ScalableDimension ?? "", TargetValue);
    }
    next = onward(page.NextToken);
  } while (next !== undefined);
  return found;
}

/**
 * Lets a provisioned table and its global indexes be scaled, the indexes by the same numbers. What is so already stays so.
 * https://docs.aws.amazon.com/autoscaling/application/userguide/services-that-can-integrate-dynamodb.html
 */
export async function scaleTable(
  aws: Aws,
  { table, indexes, capacity }: Scaled & { readonly capacity: TableCapacity },
  signal?: AbortSignal,
): Promise<void> {
  for (const index of [undefined, ...indexes])
    for (const kind of kinds) await scaleUnits(aws, { table, index, kind, range: capacity[kind] }, signal);
}

interface Units {
  readonly table: string;
  readonly index: string | undefined;
  readonly kind: keyof TableCapacity;
  readonly range: UnitRange;
}

async function scaleUnits(
  aws: Aws,
  { table, index, kind, range }: Units,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [client, { PutScalingPolicyCommand, RegisterScalableTargetCommand }] = await Promise.all([
    aws.autoscaling(),
    import("./sdk.ts"),
  ]);
  const place = {
    ServiceNamespace: namespace,
    ResourceId: resourceId(table, index),
    ScalableDimension: dimensionOf(kind, index),
  };
  const { metric } = dimensions[kind];
  await client.send(
    new RegisterScalableTargetCommand({
      ...place,
      MinCapacity: range.min,
      MaxCapacity: range.max,
      SuspendedState: {
        DynamicScalingInSuspended: false,
        DynamicScalingOutSuspended: false,
        ScheduledScalingSuspended: false,
      },
    }),
    abortable(signal),
  );
  await client.send(
    new PutScalingPolicyCommand({
      ...place,
      // As the console names it, so that its policy is changed and none made beside it.
      PolicyName: `${metric}:${place.ResourceId}`.slice(0, 256),
      PolicyType: "TargetTrackingScaling",
      TargetTrackingScalingPolicyConfiguration: {
        TargetValue: range.target,
        PredefinedMetricSpecification: { PredefinedMetricType: metric },
      },
    }),
    abortable(signal),
  );
}

function resourceId(table: string, index: string | undefined): string {
  return index === undefined ? `table/${table}` : `table/${table}/index/${index}`;
}

function dimensionOf(kind: keyof TableCapacity, index: string | undefined) {
  return index === undefined ? dimensions[kind].ofTable : dimensions[kind].ofIndex;
}
