import type { Context } from "../../context.ts";
import type { AuditEvent } from "../../model/audit.ts";
import type { Declaration } from "../../model/declaration.ts";
import type { SetupPlan } from "../../setup/step.ts";
import type { Run } from "../run.ts";

/** Makes the twin's own table, after asking: the part of `mawps setup` that is about it. */
export async function makeTwinTable(run: Run, context: Context): Promise<void> {
  const [{ planSetup }, { applySetup }, { dueSteps }] = await Promise.all([
    import("../../setup/plan.ts"),
    import("../../setup/apply.ts"),
    import("../../setup/step.ts"),
  ]);
  const { aws, audit, signal } = context;
  const name = context.tables.digitalTwin;
  const plan = (await planSetup(aws, twinTables(context.declaration), { signal })).filter(
    (step) => step.name === name,
  );
  await run.confirm({
    question: `There is no table ${name} yet: make it (${tableText(plan)})?`,
    destructive: false,
  });
  context.progress(`making table ${name}`);
  const told = (made: SetupPlan): AuditEvent[] => {
    const steps = made.map(({ kind, resource, aspect }) => `${kind} ${resource} ${name}: ${aspect}`);
    return steps.length === 0 ? [] : [{ action: "setup.applied", details: { steps } }];
  };
  const { failed } = await audit.change(
    told(dueSteps(plan, false)),
    () => applySetup(aws, plan, { fix: false, signal }),
    (result) => told(result.done),
  );
  const [first] = failed;
  if (first?.step.kind === "create") throw first.error;
  for (const { step, error } of failed) {
    const why = error instanceof Error ? error.message : String(error);
    run.warn(`table ${name}, ${step.aspect}: ${why}; \`mawps setup\` tries it again`);
  }
}

/** The profile table is in it for its keys: they decide whether the twin's table is wanted. */
function twinTables(site: Declaration): Declaration {
  const tables = site.tables.filter(({ role }) => role === "userProfiles" || role === "digitalTwin");
  return { ...site, buckets: [], tables };
}

function tableText(plan: SetupPlan): string {
  return plan.find(({ kind }) => kind === "create")?.to ?? "on demand";
}
