import { openDatabase } from "../json-database.ts";
import { answerJson, type JsonOperation } from "../json-service.ts";
import type { LocalOptions, LocalService } from "../service.ts";
import { deleteAlarms, describeAlarms, putMetricAlarm } from "./alarms.ts";
import { getMetricData, listMetrics, putMetricData } from "./metrics.ts";

/**
 * Opens (or makes) the CloudWatch end in `dir`: metrics are kept and summed up, alarms are kept and never go off. The folder
 * belongs to one process at a time: the caller holds the store's lock. Every acknowledged write is on the disk.
 */
export async function openCloudWatch(dir: string, options: LocalOptions): Promise<LocalService> {
  const database = await openDatabase(dir, { sync: true });
  const { region, now } = options;
  const operations: Readonly<Record<string, JsonOperation>> = {
    DeleteAlarms: (input) => deleteAlarms(database, input),
    DescribeAlarms: (input) => describeAlarms(database, input),
    GetMetricData: (input) => getMetricData(database, input),
    ListMetrics: (input) => listMetrics(database, input),
    PutMetricAlarm: (input) => putMetricAlarm(database, input, { now: now(), region }),
    PutMetricData: (input) => putMetricData(database, input, now()),
  };
  const service = {
    api: "GraniteServiceVersion20100801",
    signedFor: "monitoring",
    contentType: "application/x-amz-json-1.0",
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
