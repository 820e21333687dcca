import { openJsonService } from "../json-service.ts";
import type { LocalOptions, LocalService } from "../service.ts";
import {
  deleteScalingPolicy,
  deregisterScalableTarget,
  describeScalableTargets,
  describeScalingPolicies,
  putScalingPolicy,
  registerScalableTarget,
} from "./targets.ts";

/** The Application Auto Scaling end in `dir`: what may be scaled and by which policies is kept, and nothing is ever scaled. */
export function openAutoScaling(dir: string, options: LocalOptions): Promise<LocalService> {
  const { region, now } = options;
  return openJsonService(dir, options, {
    api: "AnyScaleFrontendService",
    signedFor: "application-autoscaling",
    contentType: "application/x-amz-json-1.1",
    operations: (database) => ({
      DeleteScalingPolicy: (input) => deleteScalingPolicy(database, input),
      DeregisterScalableTarget: (input) => deregisterScalableTarget(database, input),
      DescribeScalableTargets: (input) => describeScalableTargets(database, input),
      DescribeScalingPolicies: (input) => describeScalingPolicies(database, input),
      PutScalingPolicy: (input) => putScalingPolicy(database, input, { now: now(), region }),
      RegisterScalableTarget: (input) => registerScalableTarget(database, input, { now: now(), region }),
    }),
  });
}
