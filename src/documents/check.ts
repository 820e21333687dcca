import { listObjects } from "../aws/s3/listing.ts";
import { scanItems } from "../aws/dynamodb/items.ts";
import { parseKey } from "../model/keys.ts";
import { isPassedOver, judgedAttributes, nobodyWith, type Nobodies } from "../model/nobodies.ts";
import { userIdFault } from "../model/user-id.ts";
import { readFacts } from "./check-facts.ts";
import type { Finding } from "./check-finding.ts";
import { findFaults } from "./check-plan.ts";
import { findRowFaults } from "./check-rows.ts";
import { withMemory } from "./check-orphans.ts";
import { inParallel } from "../concurrency.ts";
import type { Memory } from "./remembered.ts";
import { filePrefixes, ownerOfFile } from "./file-owners.ts";
import { rowsOfAll } from "./rows.ts";
import type { DocumentRows } from "./row-model.ts";
import type { DocumentSite } from "./site.ts";
import { entriesAttribute } from "../model/mawps.ts";

export interface Checking {
  /** Reads every object and compares its bytes, instead of trusting the hash in its metadata. */
  readonly readAll: boolean;
  /** Age from which on an unfinished multipart upload is a finding. */
  readonly oldUploadMs: number;
}

export interface CheckOptions extends Checking {
  /** What the audit trail remembers of a user's documents; asked for those of whom an object has no entry. */
  readonly rememberedOf: Memory;
  /** Counts what is passed over where everybody is checked. */
  readonly nobodies: Nobodies;
}

/** Users that are looked at side by side. */
const usersAtOnce = 8;

/** What is wrong with the documents of one user, or of everybody who has entries or objects; user by user. */
export async function* checkDocuments(
  site: DocumentSite,
  userId: string | undefined,
  options: CheckOptions,
): AsyncGenerator<{ readonly users: number; readonly findings: readonly Finding[] }> {
  const { rows } = site;
  const everybody = () =>
    rows === undefined ? usersWithAnything(site, options.nobodies) : usersOfRows(site, rows);
  const users = userId === undefined ? await everybody() : [userId];
  for (let at = 0; at < users.length; at += usersAtOnce) {
    const some = users.slice(at, at + usersAtOnce);
    const found = await inParallel(some, usersAtOnce, async (each) => {
      const all = await faultsNow(site, each, options);
      // Where everybody is checked, what is attached to something is told of with whose it is.
      const findings = userId === undefined ? all.filter((finding) => finding.userId === each) : all;
      const hasLost = findings.some(({ repair }) => repair?.does === "rebuild");
      return hasLost ? withMemory(findings, await options.rememberedOf(each)) : findings;
    });
    yield { users: at + some.length, findings: found.flat() };
  }
}

/** What is wrong with the documents of one user by what is there now; what the audit trail remembers is left out. */
export async function faultsNow(
  site: DocumentSite,
  userId: string,
  { readAll, oldUploadMs }: Checking,
): Promise<Finding[]> {
  const facts = await readFacts(site, userId, { readAll });
  const rules = { now: site.now(), oldUploadMs };
  return site.rows === undefined ? findFaults(facts, rules) : findRowFaults(site.rows, facts, rules);
}

/** Ids of all who have a row or a file of documents, sorted; an entry that is nobody's is in nobody's list. */
async function usersOfRows({ aws, bucket, signal }: DocumentSite, rows: DocumentRows): Promise<string[]> {
  const users = new Set<string>();
  for await (const { userId } of rowsOfAll(rows)) users.add(userId);
  for (const prefix of filePrefixes(rows)) {
    for await (const { objects } of listObjects(aws, { bucket, prefix, signal }))
      for (const { key } of objects) users.add(ownerOfFile(rows, key) ?? "");
  }
  users.delete("");
  return [...users].sort();
}

/** Ids of all who have a list of entries or an object in a documents' folder, sorted. */
async function usersWithAnything(site: DocumentSite, passedOver: Nobodies): Promise<string[]> {
  const { aws, bucket, table, signal } = site;
  const users = new Set<string>();
  const nobodies = new Set<string>();
  const attributes = [...judgedAttributes, entriesAttribute];
  for await (const page of scanItems(aws, { table, attributes, signal })) {
    for (const item of page) {
      const userId = item["userId"]?.S;
      if (userId === undefined) continue;
      if (isPassedOver(passedOver, item)) nobodies.add(userId);
      else if (item[entriesAttribute] !== undefined) users.add(userId);
    }
  }
  for (const prefix of ["public/documents/", "users/"]) {
    for await (const { objects } of listObjects(aws, { bucket, prefix, signal })) {
      for (const { key } of objects) {
        const parsed = parseKey(key);
        if (parsed?.layout === "document" || parsed?.layout === "old-document") users.add(parsed.userId);
      }
    }
  }
  const isSomebody = (userId: string) => !nobodies.has(userId) && nobodyWith(userId) === undefined;
  return [...users].filter((userId) => userIdFault(userId) === undefined && isSomebody(userId)).sort();
}
