import { trailOf } from "../audit/place.ts";
import { periodOf } from "../audit/report.ts";
import { knownBackups } from "../backup/list.ts";
import { madeStore } from "../backup/open.ts";
import { namedPlace } from "../backup/place.ts";
import { roomFor } from "../concurrency.ts";
import type { Context } from "../context.ts";
import { examine } from "../doctor/doctor.ts";
import type { DoctorFinding } from "../doctor/finding.ts";
import type { Outside } from "../doctor/outside.ts";
import { openDocuments } from "../documents/site.ts";
import { readJobs } from "../metrics/read.ts";
import { mawpsModel } from "../model/mawps.ts";
import { whyNoDocuments, whyNoRetention } from "../model/reach.ts";
import { isActedOn, totalsDue } from "../retention/plan.ts";
import { inventoried } from "../setup/inventory.ts";
import { readPointer } from "../site/hero/pointer.ts";
import { dueIn } from "../usage/cost.ts";
import { measureDatabase } from "../usage/databases.ts";
import { keptDays } from "../usage/history.ts";
import { measureCost } from "../usage/measure-cost.ts";
import { loadPrices } from "../usage/prices.ts";
import { readDocumentStates, readPeople } from "./people.ts";
import { readReport, type Parts, type Report, type Sources } from "./report.ts";

/** Looks at all that this site can have. @param outside as for `examine`. */
export async function makeReport(context: Context, outside: Outside, now: Date): Promise<Report> {
  context.progress("looking at everything");
  return readReport(await sourcesOf(context, outside, now), {
    record: () => recorded(context),
    explain: outside.explain,
  });
}

/** How each part that this site can have is read: as the command does that is there for it alone. */
async function sourcesOf(context: Context, outside: Outside, now: Date): Promise<Sources> {
  const { aws, model: site, declaration, metrics, signal } = context;
  const isMawps = site === mawpsModel;
  const hasBackups = context.backups.repository !== undefined || (await madeStore(context)) !== undefined;
  const backups = hasBackups ? once(() => knownBackups(context)) : undefined;
  // Nobody has to keep backups of a local store: doctor judges those alone that are configured.
  const looked = { ...outside, backups: outside.backups && backups };
  const documents = once(() => openDocuments(context));
  const hasRetention = isMawps || whyNoRetention(site) === undefined;
  // On the one connection to a database what is due takes deletions on trial back, and doctor reads a copy beside it.
  const turns = roomFor(site.databases === undefined ? Number.POSITIVE_INFINITY : 1);
  const inTurn = async <T>(read: () => Promise<T>) => turns.within(1, read);
  const retention = hasRetention ? once(() => inTurn(() => dueNow(context))) : undefined;
  return {
    ...(isMawps && {
      async hero() {
        return (await readPointer(context)).pointer;
      },
      async people() {
        return readPeople(await documents(), now);
      },
    }),
    ...((isMawps || whyNoDocuments(site, "list") === undefined) && {
      async documents() {
        return inTurn(async () => readDocumentStates(await documents()));
      },
    }),
    async storage() {
      const prices = await loadPrices(undefined);
      const engine = "listing" as const;
      const query = { model: site, declaration, engine, prices, now, signal, onProgress() {} };
      const database = (role: string) => inTurn(() => measureDatabase(context, role));
      const repository = namedPlace(context);
      const isMetered = context.target === "aws";
      // Why that failed is told in its own part.
      const due = retention?.().then(
        ({ rules }) => dueIn(rules),
        () => undefined,
      );
      const priced = await measureCost(aws, {
        ...query,
        due,
        isMetered,
        repository,
        ...(site.databases && { database }),
      });
      const days = await keptDays(context, priced.usage, { isKept: true, usd: priced.cost.usd });
      return { ...priced, days };
    },
    ...(retention && { retention }),
    ...(backups && { backups }),
    ...(metrics && {
      async jobs() {
        return readJobs(aws, metrics, { now, signal });
      },
    }),
    ...(declaration.trail && {
      async audit() {
        return periodOf(trailOf(context), {
          since: new Date(now.getTime() - auditMs),
        });
      },
    }),
    async doctor() {
      return inTurn(async () => {
        const findings: DoctorFinding[] = [];
        for await (const finding of examine(aws, inventoried(context), looked)) findings.push(finding);
        return findings;
      });
    },
  };
}

/** What a run would do something about. */
async function dueNow(context: Context): Promise<Parts["retention"]> {
  const totals = await totalsDue(context);
  const acted = totals.rules.filter(isActedOn);
  return { ...totals, due: acted.reduce((sum, rule) => sum + rule.count, 0) };
}

/** Thirteen weeks. */
const auditMs = 91 * 86_400_000;

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => (reading ??= read());
}

/** Who is how far leaves the store with the page, as with `progress export`. */
async function recorded({ audit, dryRun, tables }: Context): Promise<void> {
  if (dryRun) return;
  await audit.record({
    action: "progress.exported",
    details: { table: tables.userProfiles, method: "report" },
  });
}
