import type { SetupPlan } from "../setup/step.ts";
import { told, type About, type DoctorFinding } from "./finding.ts";

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
export function alarmFindings(namespace: string, plan: SetupPlan): DoctorFinding[] {
  const about: About = { check: "alarms", subject: namespace };
  const of = (kind: SetupPlan[number]["kind"]) => plan.filter((step) => step.kind === kind);
  const [missing, different, kept] = [of("create"), of("change"), of("ok")];
  const names = (steps: SetupPlan) => steps.map(({ name }) => name);
  const found: DoctorFinding[] = [
    ...(missing.length === 0
      ? []
      : [{ ...about, ...told("warning", "alarms-missing", { names: names(missing) }) }]),
    ...(different.length === 0
      ? []
      : [{ ...about, ...told("warning", "alarms-differ", { names: names(different) }) }]),
    ...of("problem").map(({ to, remedy = "" }) => ({
      ...about,
      status: "warning" as const,
      code: "setup" as const,
      message: to,
      remedy,
    })),
  ];
  if (found.length > 0) return found;
  if (kept.length > 0) return [{ ...about, status: "ok", message: `as declared (${kept.length})` }];
  return of("note").map(({ to }) => ({ ...about, status: "skipped", code: "setup", message: to }));
}
