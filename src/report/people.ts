import { scanProgress, type ProgressSite } from "../site/progress/store.ts";
import { readProgress } from "../site/progress/read.ts";
import { completionOf, ProgressTally } from "../site/progress/statistics.ts";
import { entriesByUser } from "../documents/list.ts";
import type { StoredEntry } from "../documents/entry.ts";
import { scanReport } from "../documents/scan-report.ts";
import type { DocumentSite } from "../documents/site.ts";
import type { Nobodies } from "../model/nobodies.ts";
import type { Parts, UserLine } from "./report.ts";

/** Of what a site has many of, so many are told one by one. */
const mostTold = 100;

/** The progress of all users, and of those who were active last one by one, in memory that does not grow with their number. */
export async function readPeople(site: ProgressSite, now: Date): Promise<Parts["people"]> {
  const nobodies: Nobodies = new Map();
  const tally = new ProgressTally({ now });
  let users: UserLine[] = [];
  let withProgress = 0;
  for await (const { userId, progress, updatedAt } of scanProgress(site, nobodies)) {
    const read = readProgress(progress, updatedAt);
    tally.add(read);
    if (read.pages.length === 0 && read.sections.length === 0) continue;
    withProgress += 1;
    const completedPages = read.pages.filter(({ completed }) => completed).length;
    users.push({ userId, percent: completionOf(read), completedPages, lastActivity: read.lastActivity });
    if (users.length >= 4 * mostTold) users = latest(users);
  }
  users = latest(users);
  return { statistics: tally.result(), users, moreUsers: withProgress - users.length };
}

function latest(users: readonly UserLine[]): UserLine[] {
  const time = ({ lastActivity }: UserLine) => lastActivity ?? 0;
  return users
    .toSorted((one, other) => time(other) - time(one) || (one.userId < other.userId ? -1 : 1))
    .slice(0, mostTold);
}

/** How the documents of all users stand, and those that nobody has scanned. */
export async function readDocumentStates(site: DocumentSite): Promise<Parts["documents"]> {
  const states: Partial<Record<StoredEntry["document"]["status"], number>> = {};
  async function* counted() {
    for await (const entries of entriesByUser(site, undefined, new Map())) {
      for (const { document } of entries) states[document.status] = (states[document.status] ?? 0) + 1;
      yield entries;
    }
  }
  const { counts, unscanned, due } = await scanReport(counted(), mostTold);
  const moreUnscanned = counts.SKIPPED + counts.ERROR - unscanned.length;
  return { states, counts, unscanned, due, moreUnscanned };
}
