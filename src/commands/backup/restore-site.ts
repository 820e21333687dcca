import { attributeOf, isOwnAddress } from "../../aws/cognito/users-list.ts";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Tell } from "../../amount.ts";
import type { Aws } from "../../aws/clients.ts";
import { erasedUsers } from "../../backup/erasures.ts";
import { readNewIds } from "../../backup/remap.ts";
import { readLedger } from "../../backup/restore-audit.ts";
import { usersOf } from "../../backup/restore-plan.ts";
import { personInRows } from "../../backup/account-rows.ts";
import { rowNamed } from "../../backup/row-name.ts";
import { rowSubjects } from "../../model/person-rows.ts";
import {
  readLeftKeys,
  wantsDatabase,
  type PersonMeant,
  type RestoreScope,
} from "../../backup/restore-scope.ts";
import { destinationOf, type OnConflict, type RestoreSite } from "../../backup/restore-site.ts";
import type { Manifest } from "../../backup/snapshot.ts";
import { namedOf } from "../../backup/user-line.ts";
import type { Config } from "../../config/config.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { visible } from "../../output/text.ts";
import { nobodyWith } from "../../model/nobodies.ts";
import { configuredSite } from "../../target.ts";
import { chosenSnapshot, openBackups, spoolFolder, refuseOtherModel } from "./repository.ts";
import type { Run } from "../run.ts";
import { toolRoles } from "../../model/tool-tables.ts";

export interface RestoreFlags {
  readonly snapshot: string;
  readonly repo?: string;
  readonly only?: readonly string[];
  readonly user?: string;
  /** A row, or items: see `itemMeant`. */
  readonly item?: string;
  readonly intoPrefix?: string;
  readonly intoTable?: string;
  readonly onConflict: OnConflict;
  readonly remap?: true;
  readonly fromElsewhere?: true;
  readonly resumeFrom?: string;
  readonly onProgress: Tell;
}

/** The snapshot that is meant, the place that it goes to, and who was erased. */
export async function restoreSite(
  run: Run,
  flags: RestoreFlags,
): Promise<{ site: RestoreSite; isLedgerEmpty: boolean; poolId: string | undefined }> {
  const { config, world } = run;
  const aws = await run.aws("writes");
  const repository = await openBackups(run, flags.repo);
  if (!repository.canRead) {
    throw new CliError("the repository is encrypted, and no key for it is at hand", {
      hint: "set backup.identityFile, backup.passphraseFile or MAWPS_BACKUP_PASSPHRASE",
    });
  }
  const { manifest } = await chosenSnapshot(run, repository, flags.snapshot);
  if (flags.fromElsewhere !== true) await refuseElsewhere(run, aws, manifest);
  const prefix = flags.intoPrefix ?? "";
  refuseOtherModel(run, manifest);
  const declaration = configuredSite(withPrefix(config, prefix));
  const spool = spoolFolder(run);
  const place = { aws, repository, manifest, spool, signal: world.signal };
  const trails = manifest.tables
    .filter(({ role }) => role === toolRoles.audit)
    .map((table) => destinationOf({ declaration }, "table", table));
  const ledger = await readLedger(place, [config.tables.auditLog, ...trails]);
  const reading = { ...place, model: config.site };
  const person = flags.user === undefined ? undefined : await personOf(reading, flags.user);
  const scope: RestoreScope = {
    only: flags.only ?? [],
    userId: person?.ids[0],
    person,
    ...(flags.item === undefined ? {} : await itemMeant(reading, flags.item)),
    retry:
      flags.resumeFrom === undefined ? undefined : await readLeftKeys(resolve(world.cwd, flags.resumeFrom)),
  };
  if (scope.row !== undefined && person !== undefined)
    throw new CliError("--user and a row of --item are both given", { exitCode: exitCodes.usage });
  const wanted = new Set(
    (manifest.databases ?? []).flatMap((each) => (wantsDatabase(scope, each) ? [each.role] : [])),
  );
  const databases =
    wanted.size === 0
      ? undefined
      : await (await run.databases()).open(({ role }) => wanted.has(role), { prefix });
  const site: RestoreSite = {
    ...place,
    databases,
    model: config.site,
    declaration,
    prefix,
    intoTable: flags.intoTable,
    onConflict: flags.onConflict,
    scope,
    isErased: erasedUsers(ledger),
    now: () => world.now(),
    onProgress: flags.onProgress,
  };
  const poolId = configuredSite(config).userPool?.id;
  const ids = flags.remap === true ? await newIds(site, poolId) : undefined;
  return { site: { ...site, ids }, isLedgerEmpty: ledger.length === 0, poolId };
}

/**
 * A backup of another account, region or store is most often a mistake in the profile. A local store takes any: looking
 * into a backup there harms nobody.
 */
async function refuseElsewhere(run: Run, aws: Aws, { id, account, region, target }: Manifest): Promise<void> {
  if (run.config.target === "local") return;
  const here = await run.account();
  const differs = [
    ...(target === "local" ? ["of a local store"] : []),
    ...(account === undefined || here === undefined || account === here
      ? []
      : [`of the account ${account}, and this one is ${here}`]),
    ...(region === aws.region ? [] : [`of the region ${region}, and this one is ${aws.region}`]),
  ];
  if (differs.length === 0) return;
  throw new CliError(visible(`the backup ${id} is ${differs.join("; ")}; nothing was changed`), {
    hint: "--from-elsewhere, if that is meant; else look at the profile, --region and --repo",
  });
}

type Reading = Parameters<typeof personInRows>[0];

/** Who is meant, by the accounts in the snapshot, wherever these are. */
async function personOf(reading: Reading, given: string): Promise<PersonMeant> {
  if (rowSubjects(reading.model).length > 0) {
    const person = await personInRows(reading, given);
    somebody(person.ids[0] ?? given);
    return person;
  }
  const id = somebody(await idOf(reading, given));
  return { ids: [id, ...(await ownAddress(reading, id))] };
}

/** By which rows name somebody of the user pool: the verified address that is no other account's. */
async function ownAddress(reading: Reading, id: string): Promise<readonly string[]> {
  if (reading.model.databases === undefined) return [];
  const theirs: string[] = [];
  const others = new Set<string>();
  for await (const user of usersOf(reading)) {
    const account = namedOf(user);
    const email = attributeOf(account, "email");
    if (email === undefined) continue;
    if (user.seen.sub !== id) others.add(email.toLowerCase());
    else if (isOwnAddress(account, email)) theirs.push(email);
  }
  return theirs.filter((email) => !others.has(email.toLowerCase()));
}

/** `users:u-1`: a row of a database; `user-123/user-profile`: one person's items, or the one of that type. */
async function itemMeant(reading: Reading, given: string): Promise<Pick<RestoreScope, "row" | "item">> {
  const row = rowNamed(reading.manifest, given);
  if (row !== undefined) return { row };
  const [, userId = "", type] = /^([^/]+)(?:\/(.+))?$/s.exec(given) ?? [];
  return { item: { userId: await idOf(reading, userId), type } };
}

/** The id of the account in the snapshot that has this name or e-mail address; else the text is an id itself. */
async function idOf(place: Parameters<typeof usersOf>[0], given: string): Promise<string> {
  const wanted = given.toLowerCase();
  const found = new Set<string>();
  for await (const user of usersOf(place)) {
    const { sub } = user.seen;
    if (sub === given) return given;
    const account = namedOf(user);
    const email = attributeOf(account, "email")?.toLowerCase();
    if (account.username === given || email === wanted) found.add(sub);
  }
  if (found.size > 1) {
    throw new CliError(`several accounts of the backup are called ${JSON.stringify(given)}`, {
      hint: `give the id of one: ${[...found].join(", ")}`,
    });
  }
  return [...found][0] ?? given;
}

/** @throws CliError for an id that can be no person's, which an address without an account is, too. */
function somebody(userId: string): string {
  const what = nobodyWith(userId);
  if (what === undefined) return userId;
  throw new CliError(`${JSON.stringify(userId)} is no user of the backup: what has this id is ${what}`, {
    hint: "--item brings it back",
  });
}

async function newIds(site: RestoreSite, poolId: string | undefined): Promise<RestoreSite["ids"]> {
  if (poolId === undefined || site.manifest.userPool === undefined) {
    throw new CliError("--remap needs accounts in the backup, and a user pool (userPoolId)", {
      exitCode: exitCodes.usage,
    });
  }
  const { aws, signal } = site;
  const found = await readNewIds({ aws, poolId, users: usersOf(site), signal, now: () => site.now() });
  return { newIds: found.newIds, missing: new Set(found.missing) };
}

/** The configured names, each with the prefix in front. */
function withPrefix(config: Config, prefix: string): Config {
  const { buckets, tables } = configuredSite(config);
  const named = (all: readonly { readonly role: string; readonly name: string }[]) =>
    Object.fromEntries(all.map(({ role, name }) => [role, `${prefix}${name}`]));
  return {
    ...config,
    buckets: { ...config.buckets, ...named(buckets) },
    tables: { ...config.tables, ...named(tables) },
    // The anchors of what lies beside the site are none of the site's.
    ...(prefix === "" ? {} : { anchorBucket: undefined }),
  };
}

/** `failed.ndjson`, or with a number when there is one already. */
export async function freeName(folder: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? "failed.ndjson" : `failed-${number}.ndjson`;
    if (!existsSync(resolve(folder, name))) return name;
  }
}
