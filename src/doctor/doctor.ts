import type { Aws } from "../aws/clients.ts";
import { readUserPool } from "../aws/cognito/user-pool.ts";
import type { Declaration } from "../model/declaration.ts";
import { planSetup } from "../setup/plan.ts";
import type { SetupPlan } from "../setup/step.ts";
import { attempts } from "./attempts.ts";
import { auditFindings } from "./audit-trail.ts";
import { backupFindings } from "./backups.ts";
import { callerFindings } from "./caller.ts";
import { expectedFindings } from "./expected.ts";
import type { Finding } from "./finding.ts";
import type { Outside } from "./outside.ts";
import { privacyFindings } from "./privacy.ts";
import { resourceFindings } from "./resources.ts";
import { noScannerFinding, scannerFindings } from "./scanner.ts";
import { toolFindings } from "./tool.ts";

/**
 * Looks at everything that the site stands on, from the tool itself to what the public sees, and yields a finding for
 * each thing as soon as it is known. Only reads. A check that fails is itself a finding, and the others go on; a cause
 * that would fail them all (no network, credentials that ended) is told once. Rejects on abort and on bugs only.
 */
export async function* examine(
  aws: Aws,
  declaration: Declaration,
  outside: Outside,
): AsyncGenerator<Finding> {
  yield* toolFindings(outside.tool);
  const { attempt, failure } = attempts(outside);

  const { caller } = outside;
  if (caller !== undefined) {
    yield* await attempt({ check: "credentials", subject: "AWS" }, async () =>
      callerFindings(await caller(), outside.now()),
    );
  }

  const unreadable: Finding[] = [];
  const plan = await planSetup(aws, declaration, {
    signal: outside.signal,
    onUnreadable({ kind, name }, error) {
      unreadable.push(failure({ check: kind, subject: name }, error));
    },
  });
  yield* unreadable;
  yield* resourceFindings(plan, declaration);

  for (const expected of declaration.expected) {
    const table = declaration.tables.find(({ role }) => role === expected.table)?.name ?? "";
    if (!isUsable(plan, "table", table)) continue;
    yield* await attempt({ check: expected.what, subject: table }, () =>
      expectedFindings({ aws, declaration, outside }, expected, table),
    );
  }
  for (const { name, access } of declaration.buckets) {
    if (access === "public" || !isUsable(plan, "bucket", name)) continue;
    yield* await attempt({ check: "privacy", subject: name }, () =>
      privacyFindings({ aws, outside, isDeclaredClosed: isClosed(plan, name) }, name),
    );
  }
  const log = declaration.tables.find(({ role }) => role === "auditLog")?.name ?? "";
  const vault = declaration.buckets.find(({ role }) => role === "userFiles")?.name ?? "";
  if (isUsable(plan, "table", log) && isUsable(plan, "bucket", vault)) {
    const { signal } = outside;
    yield* await attempt({ check: "audit trail", subject: log }, () =>
      auditFindings({ aws, table: log, bucket: vault, signal }, outside.now()),
    );
  }
  if (declaration.userPool !== undefined) {
    const { id } = declaration.userPool;
    const about = { check: "user pool", subject: id };
    yield* await attempt(about, () => userPoolFindings(aws, id));
  }
  const { backups, scanner } = outside;
  if (scanner === undefined) yield noScannerFinding();
  else {
    yield* await attempt({ check: "virus scan", subject: "clamd" }, async () =>
      scannerFindings(await scanner(), outside.now()),
    );
  }
  if (backups !== undefined) {
    yield* await attempt({ check: "backup", subject: "repository" }, async () =>
      backupFindings(await backups(), outside.now()),
    );
  }
}

/** Whether a resource was found: what is missing or unreadable has been told, and is not looked at any closer. */
function isUsable(plan: SetupPlan, resource: "bucket" | "table", name: string): boolean {
  const steps = plan.filter((step) => step.resource === resource && step.name === name);
  const isBarred = steps.some(
    ({ kind, aspect }) =>
      kind === "create" ||
      (kind === "problem" && (aspect === "bucket" || aspect === "table" || aspect === "keys")),
  );
  return steps.length > 0 && !isBarred;
}

/** Whether the settings that keep the public out are all as declared. */
function isClosed(plan: SetupPlan, bucket: string): boolean {
  const settings = plan.filter(({ name, aspect }) => name === bucket && aspect === "public access block");
  return settings.some(({ kind }) => kind === "ok");
}

async function userPoolFindings(aws: Aws, id: string): Promise<Finding[]> {
  const pool = await readUserPool(aws, id);
  const finding = { check: "user pool", subject: id };
  if (pool === undefined) {
    return [
      {
        ...finding,
        status: "problem",
        message: `there is no such user pool in ${aws.region}`,
        remedy: `correct "userPoolId" in the configuration: aws cognito-idp list-user-pools --max-results 60 --region ${aws.region}`,
      },
    ];
  }
  const users = pool.users === undefined ? "" : `, about ${pool.users} users`;
  return [{ ...finding, status: "ok", message: `${pool.name}${users}` }];
}
