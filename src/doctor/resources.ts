import { type Declaration, keysText } from "../model/declaration.ts";
import type { SetupPlan, Step } from "../setup/step.ts";
import { told, type DoctorFinding } from "./finding.ts";
import { count } from "../model/count.ts";

/** The setup plan as findings: one for each step that is not ok, one for each resource that has none of these. */
export function resourceFindings(plan: SetupPlan, declaration: Declaration): DoctorFinding[] {
  const byName = new Map<string, Step[]>();
  for (const step of plan) {
    const resource = `${step.resource} ${step.name}`;
    byName.set(resource, [...(byName.get(resource) ?? []), step]);
  }
  const resources = [...byName.values()];
  return resources.flatMap((steps) => stepFindings(steps).concat(shapeFindings(steps, declaration)));
}

function stepFindings(steps: readonly Step[]): DoctorFinding[] {
  const [first] = steps;
  if (first === undefined) return [];
  const missing = steps.find(({ kind }) => kind === "create");
  if (missing !== undefined) {
    const { resource, name } = missing;
    return [{ check: resource, subject: name, ...told("problem", "resource-missing", { resource }) }];
  }
  const off = steps.flatMap((step) => stepFinding(step) ?? []);
  if (off.some(({ status }) => status !== "skipped")) return off;
  const settings = steps.filter(({ kind }) => kind === "ok").length;
  const message = `as declared (${count(settings, "setting")})`;
  return [{ check: first.resource, subject: first.name, status: "ok", message }, ...off];
}

function stepFinding({
  resource,
  name,
  aspect,
  kind,
  from,
  to,
  remedy,
  isMinor,
}: Step): DoctorFinding | undefined {
  const finding = { check: resource, subject: name, code: "setup" } as const;
  const status = isMinor === true ? "warning" : "problem";
  switch (kind) {
    case "ok":
    case "create":
      return undefined;
    case "note":
      return { ...finding, status: "skipped", message: `${aspect}: ${to}` };
    case "add":
      return {
        ...finding,
        status,
        message: `${aspect}: missing (${to})`,
        remedy: remedy ?? "mawps setup",
      };
    case "change":
      return {
        ...finding,
        status,
        message: `${aspect}: ${from ?? "none"}; should be: ${to}`,
        remedy: remedy ?? "mawps setup --fix",
      };
    case "problem":
      return {
        ...finding,
        status: "problem",
        message: `${aspect}: ${to}`,
        ...(remedy === undefined ? {} : { remedy }),
      };
  }
  return undefined;
}

/** What follows from the keys that a table of several possible shapes has. */
function shapeFindings(steps: readonly Step[], { tables }: Declaration): DoctorFinding[] {
  const keys = steps.find(({ aspect, kind }) => aspect === "keys" && kind === "ok");
  if (keys === undefined) return [];
  const consequences = tables.find(({ name }) => name === keys.name)?.consequences ?? [];
  const found = consequences.find((consequence) => keysText(consequence.keys) === keys.to);
  if (found === undefined) return [];
  return [{ check: "table shape", subject: keys.name, status: "ok", message: `${keys.to}: ${found.text}` }];
}
