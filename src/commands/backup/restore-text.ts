import { conflictsOf, leftRows, rowsDueAgain, rowCounts } from "../../backup/restore-due.ts";
import type { RestorePlan } from "../../backup/restore-plan.ts";
import type { LeftKey } from "../../backup/restore-scope.ts";
import type { RestoreSite } from "../../backup/restore-site.ts";
import type { RestoreOutcome } from "../../backup/restore.ts";
import { bytes } from "../../model/bytes.ts";
import type { Layout } from "../../output/layout.ts";
import { table } from "../../output/table.ts";
import { count, grouped, visible } from "../../output/text.ts";

interface Row {
  readonly what: string;
  readonly state: string;
  readonly create: number;
  readonly same: number;
  readonly conflict: number;
  readonly overwrite: number;
  readonly suppressed: number;
}

/** What is made, what stays as it is though it differs, and what is lost under what comes back. */
const tones = {
  create: "good",
  same: undefined,
  conflict: "warning",
  overwrite: "bad",
  suppressed: "warning",
} as const;

function rowsOf({ tables, buckets, users, databases }: RestorePlan): Row[] {
  const states = { missing: "is made", unfinished: "goes on", there: "" };
  return [
    ...tables.map(({ name, state, counts }) => ({ what: name, state: states[state], ...counts })),
    ...buckets.map(({ name, state, counts }) => ({ what: name, state: states[state], ...counts })),
    ...databases.map((plan) => ({ what: plan.name, state: states[plan.state], ...rowCounts(plan) })),
    ...(users === undefined
      ? []
      : [
          {
            what: "accounts",
            state: "",
            create: users.counts.create + users.counts.finish,
            same: users.counts.same,
            conflict: users.counts.conflict + users.counts.skip + users.counts.left,
            overwrite: users.counts.overwrite,
            suppressed: users.counts.suppressed,
          },
        ]),
  ];
}

/** The plan as data. */
export function planJson({ manifest, onConflict }: RestoreSite, plan: RestorePlan) {
  const { tables, buckets, users, databases, suppressed, erasures, dueAgain, staying, lost } = plan;
  return {
    snapshot: manifest.id,
    onConflict,
    tables: tables.map(({ role, name, state, counts, missingSettings, differing }) => ({
      role,
      name,
      state,
      ...counts,
      differing,
      missingSettings,
    })),
    buckets: buckets.map(({ role, name, state, counts, differing, bytes: size, cors }) => ({
      role,
      name,
      state,
      ...counts,
      bytes: size,
      differing,
      cors,
    })),
    ...(users === undefined ? {} : { users: { ...users.counts, left: users.left } }),
    ...(databases.length === 0 ? {} : { databases: databases.map(databaseJson) }),
    suppressed,
    erasures,
    dueAgain,
    ...(staying === undefined ? {} : { staying }),
    lost,
  };
}

function databaseJson(plan: RestorePlan["databases"][number]) {
  const { role, name, state, tables, part } = plan;
  const rows = tables.map(({ table: { name: of }, counts, differing }) => ({
    name: of,
    ...counts,
    differing,
  }));
  const { along = [], left = [] } = part ?? {};
  return {
    role,
    name,
    state,
    ...rowCounts(plan),
    tables: rows,
    due: rowsDueAgain(plan),
    ...(part === undefined ? {} : { along, left }),
  };
}

/** The plan for people. */
export async function planText(
  { manifest }: RestoreSite,
  plan: RestorePlan,
  layout: Layout,
): Promise<string> {
  const number = (name: keyof Omit<Row, "what" | "state">) => ({
    title: name.toUpperCase(),
    align: "right" as const,
    cell: (row: Row) => grouped(row[name]),
    tone: (row: Row) => (row[name] === 0 ? "dim" : tones[name]),
  });
  const counts = await table(
    rowsOf(plan),
    [
      { title: manifest.id, cell: ({ what }) => what, least: 16 },
      { title: "", cell: ({ state }) => state },
      ...(["create", "same", "conflict", "overwrite", "suppressed"] as const).map(number),
    ],
    layout,
  );
  const settings = plan.tables
    .filter(({ missingSettings }) => missingSettings.length > 0)
    .map(({ name, missingSettings }) => `${name} has not, and does not get: ${missingSettings.join(", ")}`);
  const cors = plan.buckets.flatMap((bucket) => corsLine(bucket) ?? []);
  const size = plan.buckets.reduce((sum, bucket) => sum + bucket.bytes, 0);
  return [
    counts,
    ...(size === 0 ? [] : [`objects to be written: ${bytes(size)}`]),
    ...suppressedLines(plan),
    ...alongLines(plan),
    ...leftLines(plan),
    ...stayingLines(plan),
    ...(plan.erasures === 0 ? [] : [`${count(plan.erasures, "entry", "entries")} for the erasure ledger`]),
    ...settings,
    ...cors,
    ...dueAgainLines(plan),
    ...rowsDueLines(plan),
    ...(plan.users?.left ?? []).map(
      ({ username, why }) => `account ${visible(username)} stays away: ${visible(why)}`,
    ),
    ...lostLines(plan),
  ].join("\n");
}

/** What browsers may do from the website's pages. */
function corsLine({ name, cors }: RestorePlan["buckets"][number]): string | undefined {
  if (cors === "same") return undefined;
  return cors === "write"
    ? `${name} gets its CORS rules back`
    : `${name} has other CORS rules than the backup; they stay as they are`;
}

function suppressedLines({ suppressed }: RestorePlan): string[] {
  return suppressed === 0
    ? []
    : [
        `${grouped(suppressed)} suppressed (ids and addresses of people who were erased): left out of every restore`,
      ];
}

/** Of rows of a part of a database. */
function alongLines({ databases }: RestorePlan): string[] {
  const along = databases.flatMap(({ part }) => part?.along ?? []);
  return along.length === 0 ? [] : [`comes along, as others refer to it: ${someOf(along)}`];
}

/** What cannot come back; a run that has done the rest tells of it in the end. */
function leftLines(plan: RestorePlan): string[] {
  const left = leftRows(plan);
  return [
    ...left.slice(0, mostTold).map(({ what, why }) => visible(`stays away: ${what}, as ${why}`)),
    ...(left.length <= mostTold ? [] : [`and ${count(left.length - mostTold, "row")} more stay away`]),
  ];
}

const mostTold = 5;

function someOf(names: readonly string[]): string {
  const more = names.length - mostTold;
  return visible(names.slice(0, mostTold).join(", ")) + (more > 0 ? ` and ${grouped(more)} more` : "");
}

function dueAgainLines({ dueAgain }: RestorePlan): string[] {
  return dueAgain.length === 0
    ? []
    : [
        `from before ${dueAgain.join(", ")}: \`mawps migrate up\` does ${dueAgain.length === 1 ? "it" : "them"}`,
      ];
}

/** Of rows that retention has deleted since, or would. */
function rowsDueLines({ databases }: RestorePlan): string[] {
  const due = databases.flatMap(rowsDueAgain);
  if (due.length === 0) return [];
  const all = due.map(({ table: name, rule, rows }) => `${name} ${grouped(rows)} (${rule})`).join(", ");
  return [visible(`due by the rules of retention: ${all}; \`mawps retention plan\` tells when they go`)];
}

/** With `--remap`: nobody's data under an old id are deleted, nor do they go along. */
function stayingLines({ staying }: RestorePlan): string[] {
  if (staying === undefined) return [];
  const { users, items, documents, progress, twins, objects } = staying;
  const held = [
    ...(documents === 0 ? [] : [count(documents, "document")]),
    ...(progress === 0 ? [] : [`the progress of ${count(progress, "user")}`]),
    ...(twins === 0 ? [] : [count(twins, "digital twin")]),
  ];
  const within = held.length === 0 ? "" : ` (${held.join(", ")})`;
  const what = `${count(items, "item")}${within} and ${count(objects, "object")}`;
  return [`stays as it is under the old ids of ${count(users, "user")}: ${what}`];
}

function lostLines({ lost }: RestorePlan): string[] {
  return lost.map((line) => `does not come back: ${visible(line)}`);
}

/** What came of it, as data; without an outcome all was there. */
export function outcomeJson(site: RestoreSite, plan: RestorePlan, outcome?: RestoreOutcome) {
  const done = outcome ?? {
    items: 0,
    objects: 0,
    users: undefined,
    rows: undefined,
    made: [],
    settings: [],
    erasures: 0,
    failures: [],
  };
  return {
    ...planJson(site, plan),
    written: {
      items: done.items,
      objects: done.objects,
      users: done.users,
      rows: done.rows?.rows,
    },
    made: done.made,
    settings: done.settings,
    erasures: done.erasures,
    failed: done.failures,
  };
}

/** The same for people. */
export async function outcomeText(
  { manifest }: RestoreSite,
  plan: RestorePlan,
  outcome?: RestoreOutcome,
): Promise<string> {
  const lines = rowsOf(plan);
  const sum = (name: "same" | "conflict") => lines.reduce((total, row) => total + row[name], 0);
  const stays = [
    count(sum("same"), "was the same", "were the same"),
    ...(sum("conflict") === 0
      ? []
      : [count(sum("conflict"), "differs and stays as it is", "differ and stay as they are")]),
  ].join(", ");
  const differing = conflictsOf(plan).map((line) => visible(`  ${line}`));
  if (outcome === undefined) {
    return [
      `${leftRows(plan).length === 0 ? `nothing of ${manifest.id} is missing` : `nothing of ${manifest.id} can be restored`}: ${stays}`,
      ...differing,
      ...suppressedLines(plan),
      ...stayingLines(plan),
      ...lostLines(plan),
    ].join("\n");
  }
  const { items, objects, users, rows, made, settings, erasures } = outcome;
  const written = [
    count(items, "item"),
    count(objects, "object"),
    ...(users === undefined ? [] : [count(users.created + users.finished + users.overwritten, "account")]),
    ...(rows === undefined ? [] : [count(rows.rows, "row")]),
  ];
  return [
    `restored ${written.join(", ")} of ${manifest.id}; ${stays}`,
    ...differing,
    ...suppressedLines(plan),
    ...alongLines(plan),
    ...stayingLines(plan),
    ...(made.length === 0 ? [] : [`made: ${made.join(", ")}`]),
    ...settings.flatMap(({ table: name, written: given, unsupported }) => [
      ...(given.length === 0 ? [] : [`${name} has back: ${given.join(", ")}`]),
      ...(unsupported.length === 0 ? [] : [`${name}, unknown to this server: ${unsupported.join(", ")}`]),
    ]),
    ...(erasures === 0 ? [] : [`${count(erasures, "entry", "entries")} added to the erasure ledger`]),
    ...dueAgainLines(plan),
    ...rowsDueLines(plan),
    ...lostLines(plan),
  ].join("\n");
}

/** `profiles {"userId":{"S":"user-1"}}`. */
export function nameOfLeft(left: LeftKey): string {
  return "table" in left
    ? visible(`${left.table} ${JSON.stringify(left.key)}`)
    : visible(`${left.bucket} ${left.key}`);
}
