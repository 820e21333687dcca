import { openDatabase } from "../json-database.ts";
import { answerJson, type JsonOperation } from "../json-service.ts";
import type { LocalOptions, LocalService } from "../service.ts";
import {
  deleteScalingPolicy,
  deregisterScalableTarget,
  describeScalableTargets,
  describeScalingPolicies,
  putScalingPolicy,
  registerScalableTarget,
} from "./targets.ts";

/**
 * Opens (or makes) the Application Auto Scaling end in `dir`: what may be scaled and by which policies is kept, and nothing is ever
 * scaled. The folder belongs to one process at a time: the caller holds the store's lock. Every acknowledged write is on the disk.
 */
export async function openAutoScaling(dir: string, options: LocalOptions): Promise<LocalService> {
  const database = await openDatabase(dir, { sync: true });
  const { region, now } = options;
  const operations: Readonly<Record<string, JsonOperation>> = {
    DeleteScalingPolicy: (input) => deleteScalingPolicy(database, input),
    DeregisterScalableTarget: (input) => deregisterScalableTarget(database, input),
    DescribeScalableTargets: (input) => describeScalableTargets(database, input),
    DescribeScalingPolicies: (input) => describeScalingPolicies(database, input),
    PutScalingPolicy: (input) => putScalingPolicy(database, input, { now: now(), region }),
    RegisterScalableTarget: (input) => registerScalableTarget(database, input, { now: now(), region }),
  };
  const service = {
    api: "AnyScaleFrontendService",
    signedFor: "application-autoscaling",
    contentType: "application/x-amz-json-1.1",
    operation(name: string) {
      const found = Object.hasOwn(operations, name) ? operations[name] : undefined;
      return found === undefined ? undefined : Promise.resolve(found);
    },
  };
  return {
    handle: (request) => answerJson(service, request, options),
    close: () => database.close(),
  };
}
