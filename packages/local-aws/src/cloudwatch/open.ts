import { openJsonService } from "../json-service.ts";
import type { LocalOptions, LocalService } from "../service.ts";
import { deleteAlarms, describeAlarms, putMetricAlarm } from "./alarms.ts";
import { getMetricData, listMetrics, putMetricData } from "./metrics.ts";

/** The CloudWatch end in `dir`: metrics are kept and summed up, alarms are kept and never go off. */
export function openCloudWatch(dir: string, options: LocalOptions): Promise<LocalService> {
  const { region, now } = options;
  return openJsonService(dir, options, {
    api: "GraniteServiceVersion20100801",
    signedFor: "monitoring",
    contentType: "application/x-amz-json-1.0",
    operations: (database) => ({
      DeleteAlarms: (input) => deleteAlarms(database, input),
      DescribeAlarms: (input) => describeAlarms(database, input),
      GetMetricData: (input) => getMetricData(database, input),
      ListMetrics: (input) => listMetrics(database, input),
      PutMetricAlarm: (input) => putMetricAlarm(database, input, { now: now(), region }),
      PutMetricData: (input) => putMetricData(database, input, now()),
    }),
  });
}
