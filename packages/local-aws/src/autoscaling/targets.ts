import { Fault } from "../fault.ts";
import { under, type Database } from "../json-database.ts";

type Input = Readonly<Record<string, unknown>>;

interface Named extends Input {
  readonly ServiceNamespace: string;
  readonly ResourceId: string;
  readonly ScalableDimension: string;
}

interface Target extends Named {
  readonly MinCapacity: number;
  readonly MaxCapacity: number;
}

interface Made {
  readonly now: Date;
  readonly region: string;
}

const account = "000000000000";

/** Registers what may be scaled, or changes it: what is left out then stays. */
export async function registerScalableTarget(
  database: Database,
  input: Input,
  { now, region }: Made,
): Promise<object> {
  const named = namedIn(input);
  const key = `target\0${placeOf(named)}`;
  return database.exclusive(async () => {
    const before = await database.get<Target>(key);
    const MinCapacity = capacity(input, "MinCapacity", before);
    const MaxCapacity = capacity(input, "MaxCapacity", before);
    if (MinCapacity > MaxCapacity) throw invalid("Maximum capacity cannot be less than minimum capacity");
    const ScalableTargetARN = `arn:aws:application-autoscaling:${region}:${account}:scalable-target/${placeOf(named)}`;
    const value = {
      CreationTime: now.getTime() / 1000,
      RoleARN: `arn:aws:iam::${account}:role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable`,
      ...before,
      ...named,
      MinCapacity,
      MaxCapacity,
      ScalableTargetARN,
    };
    await database.write([{ type: "put", key, value }]);
    return { ScalableTargetARN };
  });
}

export async function describeScalableTargets(database: Database, input: Input): Promise<object> {
  const ids = input["ResourceIds"];
  if (ids !== undefined && (!Array.isArray(ids) || ids.length > 50))
    throw invalid("ResourceIds has at most 50 members");
  const found = await wanted<Target>(database, "target\0", input);
  return {
    ScalableTargets: found.filter(({ ResourceId }) => !Array.isArray(ids) || ids.includes(ResourceId)),
  };
}

/** With its policies. */
export async function deregisterScalableTarget(database: Database, input: Input): Promise<object> {
  const place = placeOf(namedIn(input));
  await known(database, place);
  await database.clear(under(`policy\0${place}\0`));
  await database.write([{ type: "del", key: `target\0${place}` }]);
  return {};
}

/** Keeps a policy as it was given; it scales nothing. */
export async function putScalingPolicy(
  database: Database,
  input: Input,
  { now, region }: Made,
): Promise<object> {
  const named = namedIn(input);
  const place = placeOf(named);
  await known(database, place);
  const PolicyName = text(input, "PolicyName");
  const PolicyARN = `arn:aws:autoscaling:${region}:${account}:scalingPolicy:resource/${place}:policyName/${PolicyName}`;
  const policy = { CreationTime: now.getTime() / 1000, Alarms: [], ...input, ...named, PolicyARN };
  await database.write([{ type: "put", key: `policy\0${place}\0${PolicyName}`, value: policy }]);
  return { PolicyARN, Alarms: [] };
}

export async function describeScalingPolicies(database: Database, input: Input): Promise<object> {
  const { ResourceId: id } = input;
  const found = await wanted<Named>(database, "policy\0", input);
  return { ScalingPolicies: found.filter(({ ResourceId }) => id === undefined || ResourceId === id) };
}

export async function deleteScalingPolicy(database: Database, input: Input): Promise<object> {
  const key = `policy\0${placeOf(namedIn(input))}\0${text(input, "PolicyName")}`;
  if ((await database.get(key)) === undefined) throw missing("No scaling policy found");
  await database.write([{ type: "del", key }]);
  return {};
}

/** All of one service, also of one dimension alone; there is one page. */
async function wanted<T extends Named>(database: Database, prefix: string, input: Input): Promise<T[]> {
  const service = text(input, "ServiceNamespace");
  const { ScalableDimension: dimension } = input;
  const found: T[] = [];
  for await (const value of database.values<T>(under(prefix)))
    if (
      value.ServiceNamespace === service &&
      (dimension === undefined || value.ScalableDimension === dimension)
    )
      found.push(value);
  return found;
}

async function known(database: Database, place: string): Promise<void> {
  if ((await database.get(`target\0${place}`)) === undefined)
    throw missing(`No scalable target registered for ${place}`);
}

function namedIn(input: Input): Named {
  return {
    ServiceNamespace: text(input, "ServiceNamespace"),
    ResourceId: text(input, "ResourceId"),
    ScalableDimension: text(input, "ScalableDimension"),
  };
}

function placeOf({ ServiceNamespace, ResourceId, ScalableDimension }: Named): string {
  return `${ServiceNamespace}/${ResourceId}/${ScalableDimension}`;
}

function capacity(input: Input, member: "MinCapacity" | "MaxCapacity", before: Target | undefined): number {
  const value = input[member] ?? before?.[member];
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  throw invalid(`${member} must be a whole number`);
}

function text(input: Input, member: string): string {
  const value = input[member];
  if (typeof value === "string" && /^[^\0]{1,1600}$/.test(value)) return value;
  throw invalid(`1 validation error detected: '${member}' is no text of 1 to 1600 characters`);
}

function invalid(message: string): Fault {
  return new Fault("ValidationException", message);
}

function missing(message: string): Fault {
  return new Fault("ObjectNotFoundException", message);
}
