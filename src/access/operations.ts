import type { AccessSite } from "./place.ts";
import type { Statement } from "./policy.ts";

/** CloudWatch knows no ARNs of metrics: the namespace fences them. */
export function metricsPut({ metrics }: AccessSite): Statement[] {
  if (metrics === undefined) return [];
  return [
    {
      Sid: "PutMetrics",
      Effect: "Allow",
      Action: ["cloudwatch:PutMetricData"],
      Resource: ["*"],
      Condition: { StringEquals: { "cloudwatch:namespace": metrics } },
    },
  ];
}

export function metricsSeen({ metrics }: AccessSite): Statement[] {
  if (metrics === undefined) return [];
  const actions = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"];
  return [{ Sid: "SeeMetrics", Effect: "Allow", Action: actions, Resource: ["*"] }];
}

/** The names of the site's alarms begin with its namespace. */
export function alarmsMade({ metrics, declaration, account }: AccessSite): Statement[] {
  if (metrics === undefined) return [];
  const alarms = `arn:aws:cloudwatch:${declaration.region}:${account}:alarm:${metrics}-*`;
  return [{ Sid: "SetUpAlarms", Effect: "Allow", Action: ["cloudwatch:PutMetricAlarm"], Resource: [alarms] }];
}

function scales({ declaration }: AccessSite): boolean {
  return declaration.tables.some(({ capacity }) => capacity !== undefined);
}

export function scalingSeen(site: AccessSite): Statement[] {
  if (!scales(site)) return [];
  const actions = [
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
  ];
  return [{ Sid: "SeeScaling", Effect: "Allow", Action: actions, Resource: ["*"] }];
}

/**
 * Application Auto Scaling knows no names of tables: its service fences them. The first time it makes a role of its own, and the alarms
 * by which it scales are made with the rights of who asks for them.
 * https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
 */
export function scalingMade(site: AccessSite): Statement[] {
  if (!scales(site)) return [];
  const service = "dynamodb.application-autoscaling.amazonaws.com";
  const { declaration, account } = site;
  return [
    {
      Sid: "SetUpScaling",
      Effect: "Allow",
      Action: ["application-autoscaling:PutScalingPolicy", "application-autoscaling:RegisterScalableTarget"],
      Resource: ["*"],
      Condition: { StringEquals: { "application-autoscaling:service-namespace": "dynamodb" } },
    },
    {
      Sid: "SetUpScalingAlarms",
      Effect: "Allow",
      Action: ["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"],
      Resource: [`arn:aws:cloudwatch:${declaration.region}:${account}:alarm:TargetTracking-table/*`],
    },
    {
      Sid: "SetUpScalingRole",
      Effect: "Allow",
      Action: ["iam:CreateServiceLinkedRole"],
      Resource: [`arn:aws:iam::*:role/aws-service-role/${service}/*`],
      Condition: { StringEquals: { "iam:AWSServiceName": service } },
    },
  ];
}
