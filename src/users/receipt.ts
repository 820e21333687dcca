import { z } from "zod";
import { readHead, storedChain } from "../audit/entries.ts";
import { erasedUsers, type ErasureEntry } from "../backup/erasures.ts";
import { findTable } from "../aws/dynamodb/restore-settings.ts";
import { scanItems } from "../aws/dynamodb/items.ts";
import { attributeOf, listPoolUsers } from "../aws/cognito/users-list.ts";
import { listVersions } from "../aws/s3/listing.ts";
import { listUnfinishedUploads } from "../aws/s3/open-uploads.ts";
import { whereThere } from "../aws/setting.ts";
import { CliError } from "../errors.ts";
import type { Declaration, Owned } from "../model/declaration.ts";
import { ownersOf } from "../model/ownership.ts";
import type { Erased } from "./erase.ts";
import type { ErasurePlan, ErasureSite } from "./erasure-plan.ts";

const hashed = z.object({ salt: z.string(), hash: z.string(), at: z.iso.datetime() });

const receiptSchema = z.looseObject({
  format: z.literal(1),
  erasedAt: z.iso.datetime(),
  person: z.array(hashed).min(1),
  isComplete: z.boolean(),
  audit: z.object({ sequence: z.number(), hash: z.string() }),
});

/** The proof of an erasure. It names nobody: the person is a keyed hash of each of their ids. */
export type Receipt = z.infer<typeof receiptSchema>;

/** The receipt of an erasure, with the head of the audit trail as it is then. */
export async function receiptOf(site: ErasureSite, plan: ErasurePlan, erased: Erased): Promise<Receipt> {
  const { sequence, hash } = await readHead(site.trailPlace);
  const { left, isAccountLeft, person, at, failures } = erased;
  const { traces, copies, account, links, tokenMinutes } = plan;
  const uploadLinks = links.filter(({ kind }) => kind === "upload");
  const lefts = left.items.length + left.versions.length + left.uploads.length + Number(isAccountLeft);
  return {
    format: 1,
    erasedAt: at.toISOString(),
    person: [...person],
    isComplete: lefts === 0,
    erased: {
      account: account !== undefined,
      ...numbersOf(plan),
      links: links.length - uploadLinks.length,
    },
    left: {
      items: left.items.length,
      versions: left.versions.length,
      uploads: left.uploads.length,
      account: isAccountLeft,
      refused: failures.length,
    },
    kept: traces.kept,
    notReached: {
      backups: copies.backups,
      recovery: copies.recovery,
      /** Take files until then. */
      uploadLinks: uploadLinks.map(({ expiresAt }) => expiresAt),
      tokensForMinutes: tokenMinutes ?? 0,
      others: [
        "browsers that have opened the site",
        "messages that were sent",
        "downloaded files",
        "on-demand backups of DynamoDB and of AWS Backup",
        "tables and buckets that the model of the site does not name",
      ],
    },
    searched: {
      ...searchedOf(site.declaration),
      userPool: site.known?.poolId ?? null,
    },
    audit: { sequence, hash },
  };
}

/** Tables and buckets that have something of people by the model. */
function searchedOf({ owned, tables, buckets }: Declaration) {
  const has = (kind: Owned["kind"], role: string) =>
    owned.some((each) => each.kind === kind && ("table" in each ? each.table : each.bucket) === role);
  return {
    tables: tables.filter(({ role }) => has("items", role)).map(({ name }) => name),
    buckets: buckets.filter(({ role }) => has("objects", role)).map(({ name }) => name),
  };
}

/** What of a person there is, by kind. Pure. */
export function numbersOf({ traces }: Pick<ErasurePlan, "traces">) {
  const byKind = (all: readonly { readonly what: string }[]) => {
    const counts = new Map<string, number>();
    for (const { what } of all) counts.set(what, (counts.get(what) ?? 0) + 1);
    return Object.fromEntries(counts);
  };
  return {
    items: byKind(traces.items),
    versions: byKind(traces.versions.filter(({ isDeleteMarker }) => !isDeleteMarker)),
    deleteMarkers: traces.versions.filter(({ isDeleteMarker }) => isDeleteMarker).length,
    uploads: traces.uploads.length,
    bytes: traces.versions.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** @throws CliError for what is no receipt. */
export function parseReceipt(text: string, where: string): Receipt {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CliError(`${where} is no JSON`, { cause: error });
  }
  const { data, success } = receiptSchema.safeParse(value);
  if (!success) throw new CliError(`${where} is no receipt of an erasure`);
  return data;
}

/** What a receipt does not hold of the stores as they are now; nothing where it still holds. */
export interface Checked {
  readonly looked: { readonly items: number; readonly objects: number; readonly accounts: number };
  readonly findings: readonly string[];
}

/**
 * Searches everything again for the person of a receipt: each owner of an item or object, and each account, is compared by the keyed
 * hash. Also whether the audit trail still has the entry that the receipt names.
 */
export async function checkReceipt(site: ErasureSite, receipt: Receipt): Promise<Checked> {
  const isErased = erasedUsers(receipt.person satisfies readonly ErasureEntry[]);
  const findings: string[] = [];
  const looked = { items: 0, objects: 0, accounts: 0 };
  const { aws, signal, declaration } = site;
  const owners = ownersOf(declaration);
  for (const { role, name } of declaration.tables) {
    const owned = declaration.owned.filter((each) => each.kind === "items" && each.table === role);
    const attributes = owned.flatMap((each) =>
      each.kind === "items" && each.erasure === "delete" ? [each.attribute] : [],
    );
    if (attributes.length === 0 || (await findTable(aws, name, signal)) === undefined) continue;
    let items = 0;
    const asked = { table: name, attributes: [...new Set(attributes)], consistent: true, signal };
    for await (const page of scanItems(aws, asked)) {
      looked.items += page.length;
      for (const item of page)
        if (attributes.some((each) => item[each]?.S !== undefined && isErased(item[each].S))) items += 1;
    }
    if (items > 0) findings.push(`${items} items in table ${name}`);
  }
  for (const { role, name } of declaration.buckets) {
    let versions = 0;
    let uploads = 0;
    await whereThere(async () => {
      for await (const page of listVersions(aws, { bucket: name, signal })) {
        looked.objects += page.length;
        for (const { key } of page) {
          const owner = owners.ofKey(role, key);
          if (owner !== undefined && isErased(owner.userId)) versions += 1;
        }
      }
      for await (const { key } of listUnfinishedUploads(aws, { bucket: name, signal })) {
        const owner = owners.ofKey(role, key);
        if (owner !== undefined && isErased(owner.userId)) uploads += 1;
      }
    });
    if (uploads > 0) findings.push(`${uploads} open uploads in bucket ${name}`);
    if (versions > 0) findings.push(`${versions} versions of objects in bucket ${name}`);
  }
  const { known } = site;
  for await (const page of known === undefined ? [] : listPoolUsers(aws, known.poolId, known)) {
    looked.accounts += page.length;
    const names = page.map((account) => [account.sub, account.username, attributeOf(account, "email")]);
    const found = names.filter((each) => each.some((id) => id !== undefined && isErased(id))).length;
    if (found > 0)
      findings.push(
        `${found} ${found === 1 ? "account" : "accounts"} in the user pool ${known?.poolId ?? ""}`,
      );
  }
  const { sequence, hash } = receipt.audit;
  if (sequence > 0 && (await hashAt(site, sequence)) !== hash)
    findings.push(`entry ${sequence} of the audit trail is not the one that the receipt names`);
  if (!receipt.isComplete) findings.push("the erasure itself was not complete");
  return { looked, findings };
}

async function hashAt({ trailPlace }: ErasureSite, sequence: number): Promise<unknown> {
  const place = { fromSequence: sequence, toSequence: sequence };
  for await (const { hash } of storedChain(trailPlace, place)) return hash;
  return undefined;
}
