import type { Database } from "../json-database.ts";
import { under } from "../json-database.ts";
import { Fault } from "../fault.ts";
import {
  invalid,
  missing,
  number,
  optionalNumber,
  optionalText,
  structures,
  text,
  type Input,
} from "./input.ts";

interface Alarm extends Input {
  readonly AlarmName: string;
}

const comparisons = new Set([
  "GreaterThanOrEqualToThreshold",
  "GreaterThanThreshold",
  "GreaterThanUpperThreshold",
  "LessThanLowerOrGreaterThanUpperThreshold",
  "LessThanLowerThreshold",
  "LessThanOrEqualToThreshold",
  "LessThanThreshold",
]);
const missingData = new Set(["breaching", "notBreaching", "ignore", "missing"]);
const mostNames = 100;
const mostActions = 5;
const weekSeconds = 7 * 86_400;

/** Makes an alarm, or makes it anew. It is kept as it was given, and nothing watches the metrics. */
export async function putMetricAlarm(
  database: Database,
  input: Input,
  { now, region }: { readonly now: Date; readonly region: string },
): Promise<object> {
  const AlarmName = text(input, "AlarmName");
  if (!comparisons.has(text(input, "ComparisonOperator")))
    throw invalid("The value for parameter ComparisonOperator is none that there is.");
  const periods = number(input, "EvaluationPeriods");
  const period = optionalNumber(input, "Period");
  const metrics = structures(input, "Metrics");
  if (metrics.length > 0 === (input["MetricName"] !== undefined))
    throw new Fault("InvalidParameterCombinationException", "An alarm has either MetricName or Metrics.");
  if (metrics.length === 0) {
    text(input, "MetricName");
    text(input, "Namespace");
    if (period === undefined) throw missing("Period");
    if (optionalText(input, "Statistic") === undefined) text(input, "ExtendedStatistic");
  }
  const band = optionalText(input, "ThresholdMetricId");
  if (band === undefined) number(input, "Threshold");
  else if (!metrics.some(({ Id }) => Id === band))
    throw invalid("The value for parameter ThresholdMetricId is the Id of none of Metrics.");
  for (const list of ["AlarmActions", "OKActions", "InsufficientDataActions"]) {
    const actions = input[list];
    if (Array.isArray(actions) && actions.length > mostActions)
      throw invalid(`The collection ${list} has more than ${mostActions} members.`);
  }
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
  if (period !== undefined && periods * period > (period < 3600 ? 86_400 : weekSeconds))
    throw invalid(
      "Metrics cannot be checked across more than a day, or a week by periods of an hour and more.",
    );
  const treatment = optionalText(input, "TreatMissingData");
  if (treatment !== undefined && !missingData.has(treatment))
    throw invalid("The value for parameter TreatMissingData is none that there is.");
  const atSeconds = now.getTime() / 1000;
  const key = `alarm\0${AlarmName}`;
  const value = {
    ActionsEnabled: true,
    AlarmActions: [],
    OKActions: [],
    InsufficientDataActions: [],
    ...input,
    AlarmArn: `arn:aws:cloudwatch:${region}:000000000000:alarm:${AlarmName}`,
    AlarmConfigurationUpdatedTimestamp: atSeconds,
    ...(await stateOf(database, key, atSeconds)),
  };
  await database.write([{ type: "put", key, value }]);
  return {};
}

/** What is changed stays in its state. */
async function stateOf(database: Database, key: string, atSeconds: number): Promise<object> {
  const before = await database.get<Alarm>(key);
  if (before === undefined)
    return {
      StateUpdatedTimestamp: atSeconds,
      StateValue: "INSUFFICIENT_DATA",
      StateReason: "Unchecked: Initial alarm creation",
    };
  const { StateUpdatedTimestamp, StateValue, StateReason } = before;
  return { StateUpdatedTimestamp, StateValue, StateReason };
}

/** By names, or all with a prefix; there is one page. */
export async function describeAlarms(database: Database, input: Input): Promise<object> {
  const names = input["AlarmNames"] as readonly unknown[] | undefined;
  if (names !== undefined && (!Array.isArray(names) || names.length > mostNames))
    throw invalid(`AlarmNames has at most ${mostNames} items.`);
  const prefix = optionalText(input, "AlarmNamePrefix") ?? "";
  const found: Alarm[] = [];
  for await (const [, alarm] of database.entries<Alarm>(under("alarm\0"))) {
    const { AlarmName: name } = alarm;
    if (names === undefined ? name.startsWith(prefix) : names.includes(name)) found.push(alarm);
  }
  return { MetricAlarms: found, CompositeAlarms: [] };
}

/** Those that are not there are no fault while one of the others is. */
export async function deleteAlarms(database: Database, input: Input): Promise<object> {
  const names = input["AlarmNames"];
  if (!Array.isArray(names) || names.length > mostNames) throw missing("AlarmNames");
  await database.write(names.map((name) => ({ type: "del" as const, key: `alarm\0${String(name)}` })));
  return {};
}
