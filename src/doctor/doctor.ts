import type { Aws } from "../aws/clients.ts";
import { readUserPool } from "../aws/cognito/user-pool.ts";
import type { Declaration } from "../model/declaration.ts";
import { planAlarms } from "../setup/alarms.ts";
import { planSetup } from "../setup/plan.ts";
import { findOpenObjects, type OpenObjects } from "../setup/public-objects.ts";
import type { SetupPlan, Step } from "../setup/step.ts";
import { alarmFindings } from "./alarms.ts";
import { attempts } from "./attempts.ts";
import { auditFindings, lockFindings } from "./audit-trail.ts";
import { backupFindings, noBackupFinding } from "./backups.ts";
import { callerFindings } from "./caller.ts";
import { expectedFindings } from "./expected.ts";
import { databaseFindings } from "./databases.ts";
import { told, type About, type DoctorFinding } from "./finding.ts";
import { indexFindings } from "./indexes.ts";
import { migrationFindings } from "./migrations.ts";
import type { Outside } from "./outside.ts";
import { privacyFindings, tryPrivacy } from "./privacy.ts";
import { resourceFindings } from "./resources.ts";
import { noScannerFinding, scannerFindings } from "./scanner.ts";
import type { Expectation } from "./sentences/checks.ts";
import { toolFindings } from "./tool.ts";
import { uploadFindings } from "./uploads.ts";
import { count } from "../model/count.ts";

/**
 * Looks at everything that the site stands on, from the tool itself to what the public sees, and yields a finding for
 * each thing as soon as it is known. Only reads. A check that fails is itself a finding, and the others go on; a cause
 * that would fail them all (no network, credentials that ended) is told once. Rejects on abort and on bugs only.
 */
export async function* examine(
  aws: Aws,
  declaration: Declaration,
  outside: Outside,
): AsyncGenerator<DoctorFinding> {
  const going: Promise<unknown>[] = [];
  const begun: Begin = (work) => {
    const result = work();
    going.push(result.catch(() => undefined));
    return () => result;
  };
  try {
    yield* found(aws, declaration, { outside, begun });
  } finally {
    // What nobody asked for in the end has its answer, too, before this ends; the list may grow meanwhile.
    for (const each of going) await each;
  }
}

/** Begins at once; what came of it is told when asked for. */
type Begin = <T>(work: () => Promise<T>) => () => Promise<T>;

async function* found(
  aws: Aws,
  declaration: Declaration,
  { outside, begun }: { readonly outside: Outside; readonly begun: Begin },
): AsyncGenerator<DoctorFinding> {
  yield* toolFindings(outside.tool);
  const { attempt, failure } = attempts(outside);
  const { caller, backups, scanner, signal } = outside;
  const named = (kind: "table" | "bucket", wanted: string) =>
    declaration[kind === "table" ? "tables" : "buckets"].find(({ role }) => role === wanted)?.name ?? "";
  const trail = { ...(declaration.trail ?? { table: "", bucket: "" }), aws, signal: outside.signal };
  const { table: log, bucket: vault } = trail;
  const poolId = declaration.userPool?.id;

  // All at once: what takes the time is waiting for answers. What turns out to be missing is not told of twice.
  const calling = caller === undefined ? undefined : begun(caller);
  const unreadable: { readonly kind: "bucket" | "table"; readonly name: string; readonly error: unknown }[] =
    [];
  const indexing = new Map<string, () => Promise<DoctorFinding[]>>();
  const planning = begun(() =>
    planSetup(aws, declaration, {
      signal,
      onUnreadable: ({ kind, name }, error) => void unreadable.push({ kind, name, error }),
      onTable: (table, stored) =>
        void indexing.set(
          table.name,
          begun(() => indexFindings(aws, { table, stored }, { now: outside.now(), signal })),
        ),
    }),
  );
  const expecting = declaration.expected.map((expected) => {
    const table = named("table", expected.table);
    const site = { aws, declaration, outside };
    return { expected, table, findings: begun(() => expectedFindings(site, expected, table)) };
  });
  const trying = declaration.buckets
    .filter(({ access, keptBy }) => access !== "public" && keptBy !== "site")
    .map(({ name }) => ({ name, facts: begun(() => tryPrivacy({ aws, outside }, name)) }));
  const lying = declaration.buckets
    .filter(({ keptBy }) => keptBy !== "site")
    .map((bucket) => ({
      name: bucket.name,
      findings: begun(() => uploadFindings(aws, bucket, { now: outside.now(), signal })),
    }));
  const auditing = declaration.trail && begun(() => auditFindings(trail, outside.now()));
  const locking = begun(() => lockFindings(trail));
  const pooling = poolId === undefined ? undefined : begun(() => userPoolFindings(aws, poolId, signal));
  const scanning = scanner === undefined ? undefined : begun(scanner);
  const { alarms } = outside;
  const alarming = alarms && begun(() => planAlarms(aws, alarms, signal));
  const backingUp = backups === undefined ? undefined : begun(backups);
  const migrating = outside.migrations && begun(outside.migrations);
  const readingDatabases = outside.databases === undefined ? undefined : begun(outside.databases);

  if (calling !== undefined) {
    yield* await attempt({ check: "credentials", subject: "AWS" }, async () =>
      callerFindings(await calling(), outside.now()),
    );
  }
  const plan = await planning();
  for (const { kind, name, error } of unreadable) yield failure({ check: kind, subject: name }, error);
  const needed: OpenObjects[] = [];
  try {
    needed.push(...(await findOpenObjects(aws, closing(plan), signal)));
  } catch (error) {
    yield failure({ check: "bucket", subject: "objects that are open by their ACL" }, error);
  }
  yield* resourceFindings(
    plan.map((step) => keptOpen(step, needed)),
    declaration,
  );
  if (readingDatabases !== undefined) {
    const { unreadable: closed, ...facts } = await readingDatabases();
    for (const { name, error } of closed) yield failure({ check: "database", subject: name }, error);
    yield* databaseFindings(facts, declaration);
  }
  for (const { expected, table, findings } of expecting) {
    if (isUsable(plan, "table", table))
      yield* await attempt({ check: expected.what as Expectation, subject: table }, findings);
  }
  for (const { name, facts } of trying) {
    if (!isUsable(plan, "bucket", name)) continue;
    yield* await attempt({ check: "privacy", subject: name }, async () =>
      privacyFindings(name, await facts(), {
        isDeclaredClosed: isClosed(plan, name),
        endpointUrl: aws.endpointUrl,
      }),
    );
  }
  for (const { name, findings } of lying) {
    if (isUsable(plan, "bucket", name)) yield* await attempt({ check: "uploads", subject: name }, findings);
  }
  for (const { name } of declaration.tables) {
    const findings = indexing.get(name);
    if (findings !== undefined && isUsable(plan, "table", name))
      yield* await attempt({ check: "index", subject: name }, findings);
  }
  const isVaultHere = declaration.buckets.some(({ name }) => name === vault);
  if (
    auditing !== undefined &&
    isUsable(plan, "table", log) &&
    (!isVaultHere || isUsable(plan, "bucket", vault))
  ) {
    yield* await attempt({ check: "audit trail", subject: log }, auditing);
    yield* await attempt({ check: "audit trail", subject: vault }, locking);
  }
  const ledger = named("table", "migrations");
  if (migrating !== undefined && isUsable(plan, "table", ledger))
    yield* await attempt({ check: "migrations", subject: ledger }, async () =>
      migrationFindings(await migrating()),
    );
  if (poolId !== undefined && pooling !== undefined)
    yield* await attempt({ check: "user pool", subject: poolId }, pooling);
  if (scanning === undefined) {
    if (outside.takesDocuments !== false) yield noScannerFinding();
  } else {
    yield* await attempt({ check: "virus scan", subject: "clamd" }, async () =>
      scannerFindings(await scanning(), outside.now()),
    );
  }
  if (backingUp !== undefined) {
    yield* await attempt({ check: "backup", subject: "repository" }, async () =>
      backupFindings(await backingUp(), outside.now()),
    );
    // Nobody has to keep backups of a local store.
  } else if (caller !== undefined) yield noBackupFinding();
  if (alarms !== undefined && alarming !== undefined) {
    const subject = alarms.place.namespace;
    yield* await attempt({ check: "alarms", subject }, async () => alarmFindings(subject, await alarming()));
  }
  if (outside.unwatchedMetrics !== undefined)
    yield { check: "alarms", subject: outside.unwatchedMetrics, ...told("skipped", "alarms-local") };
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

async function userPoolFindings(aws: Aws, id: string, signal?: AbortSignal): Promise<DoctorFinding[]> {
  const pool = await readUserPool(aws, id, signal);
  const finding: About = { check: "user pool", subject: id };
  if (pool === undefined)
    return [{ ...finding, ...told("problem", "user-pool-missing", { region: aws.region }) }];
  const users = pool.users === undefined ? "" : `, about ${count(pool.users, "user")}`;
  return [{ ...finding, status: "ok", message: `${pool.name}${users}` }];
}

function closing(plan: SetupPlan): Step[] {
  return plan.filter(({ mayCloseOff }) => mayCloseOff === true);
}

/** A step that would close what is open now, or uploads as they are made: not recommended, and no fault while the website has it so. */
function keptOpen(step: Step, found: readonly OpenObjects[]): Step {
  const open = closing([step]).length === 0 ? undefined : found.find(({ bucket }) => bucket === step.name);
  if (open === undefined || (open.objects.length === 0 && !open.byPolicy)) return step;
  const opened = open.objects.filter(({ to }) => to !== "nobody").length;
  const objects = (number: number) => `${count(number, "object")} of ${open.looked} looked at`;
  const would = open.byPolicy
    ? "close what its policy opens now"
    : opened > 0
      ? `close what an ACL opens now, ${objects(opened)}`
      : `have uploads with an ACL refused, as were made of ${objects(open.objects.length)}`;
  const dryRun = step.kind === "add" ? "mawps setup --dry-run" : "mawps setup --fix --dry-run";
  return {
    ...step,
    isMinor: true,
    to: `${step.to}, which would ${would}`,
    remedy: `leave it while the website needs that; \`${dryRun}\` names them`,
  };
}
