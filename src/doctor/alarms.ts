import type { SetupPlan } from "../setup/step.ts";
import type { Finding } from "./finding.ts";

/**
 * The alarms of a namespace as findings. Pure.
 *
 * | plan                          | finding                                |
 * |-------------------------------|----------------------------------------|
 * | some are missing, some differ | a warning each                         |
 * | they may not be looked at     | a warning                              |
 * | all are as declared           | ok                                     |
 * | the server knows none         | skipped                                |
 */
export function alarmFindings(namespace: string, plan: SetupPlan): Finding[] {
  const about = { check: "alarms", subject: namespace };
  const of = (kind: SetupPlan[number]["kind"]) => plan.filter((step) => step.kind === kind);
  const [missing, different, kept] = [of("create"), of("change"), of("ok")];
  const names = (steps: SetupPlan) => steps.map(({ name }) => name).join(", ");
  const found: Finding[] = [
    ...(missing.length === 0
      ? []
      : [
          {
            ...about,
            status: "warning" as const,
            message: `${missing.length} ${missing.length === 1 ? "is" : "are"} missing: ${names(missing)}`,
            remedy: "mawps setup --alarms",
          },
        ]),
    ...(different.length === 0
      ? []
      : [
          {
            ...about,
            status: "warning" as const,
            message: `${different.length} ${different.length === 1 ? "differs" : "differ"} from what is declared: ${names(different)}`,
            remedy: "mawps setup --alarms --fix",
          },
        ]),
    ...of("problem").map(({ to, remedy = "" }) => ({
      ...about,
      status: "warning" as const,
      message: to,
      remedy,
    })),
  ];
  if (found.length > 0) return found;
  if (kept.length > 0) return [{ ...about, status: "ok", message: `as declared (${kept.length})` }];
  return of("note").map(({ to }) => ({ ...about, status: "skipped", message: to }));
}
