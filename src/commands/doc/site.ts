import type { Scanner, Unasked } from "../../documents/scanning.ts";
import type { ChangingSite, DocumentSite } from "../../documents/site.ts";
import { mawpsModel } from "../../model/mawps.ts";
import { uuid } from "../../model/uuid.ts";
import { configuredSite } from "../../target.ts";
import type { Access } from "../../world.ts";
import type { Run } from "../run.ts";

/** What a first look through a site has seen. */
interface Looked<Site, Seen> {
  readonly site: Site;
  readonly seen: Seen;
}

type Look<Seen> = (site: DocumentSite) => Promise<Seen>;

/** Opens the target for documents as configured; `writes` when the command may come to change something. */
export async function documentSite(run: Run, access: Access): Promise<DocumentSite> {
  const { openDocumentSite } = await import("../../documents/site.ts");
  return openDocumentSite(await placeOf(run, access));
}

/** Where the documents of the site are, by its model. */
async function placeOf(run: Run, access: Access) {
  const { config, world } = run;
  const aws = await run.aws(access);
  if (config.site === mawpsModel) return { ...documentPlace(run), aws };
  const { documentRows } = await import("../../documents/rows.ts");
  const { signal } = world;
  const rows = documentRows({ aws, model: config.site, declaration: configuredSite(config), signal });
  return {
    aws,
    rows,
    bucket: rows.bucket,
    uploadsBucket: "",
    table: "",
    apiTable: "",
    ownTable: "",
    userPoolId: undefined,
    now: () => world.now(),
    signal,
  };
}

/** The same with a first look, which waits for nothing: `openWithLook` tells what it may do. */
export async function documentSiteWith<Seen>(
  run: Run,
  access: Access,
  look: Look<Seen>,
): Promise<Looked<DocumentSite, Seen>> {
  const { openWithLook } = await import("../../documents/site.ts");
  return openWithLook(await placeOf(run, access), look);
}

/**
 * The target to change documents; ends the command here when the audit trail cannot be written.
 * @param opened the site, where the command has looked at it before.
 */
export async function changingSite(run: Run, opened?: DocumentSite): Promise<ChangingSite> {
  if (opened === undefined) {
    const { site } = await changing(run, async () => ({ site: await documentSite(run, "writes") }));
    return site;
  }
  // What was looked at is changed next, which announces itself.
  return { ...opened, ...(await hands(run)) };
}

/** The same with a first look. What it fails for is told before what the trail does. */
export async function changingSiteWith<Seen>(
  run: Run,
  look: Look<Seen>,
): Promise<Looked<ChangingSite, Seen>> {
  return changing(run, () => documentSiteWith(run, "writes", look));
}

async function changing<Opened extends { readonly site: DocumentSite }>(
  run: Run,
  open: () => Promise<Opened>,
): Promise<Opened & { readonly site: ChangingSite }> {
  await run.aws("writes");
  const [audited, asked] = [run.audit.open(), run.actor()];
  asked.catch(() => undefined);
  const opened = await open();
  await audited;
  await asked;
  return { ...opened, site: { ...opened.site, ...(await hands(run)) } };
}

/** What changing needs besides. */
async function hands(run: Run): Promise<Omit<ChangingSite, keyof DocumentSite>> {
  return {
    actor: await run.actor(),
    audit: run.audit,
    randomHex: (count) => run.world.randomHex(count),
  };
}

/** Where documents live, by the configuration. */
export function documentPlace({ config, world }: Pick<Run, "config" | "world">) {
  return {
    bucket: config["buckets.userFiles"],
    uploadsBucket: config["buckets.profileImages"],
    table: config["tables.userProfiles"],
    apiTable: config["tables.userDocuments"],
    ownTable: config["tables.migrations"],
    userPoolId: configuredSite(config).userPool?.id,
    // At AWS an id is a sub, which only an account brings; nobody signs up on a local store.
    newId: config.target === "local" ? () => uuid(world.randomHex(16)) : undefined,
    now: () => world.now(),
    signal: world.signal,
  };
}

/** The scanner as configured, or that there is none. */
export function scannerOf({ config }: Run): Scanner | Unasked {
  const { "clamav.host": host, "clamav.port": port, "clamav.socket": socket } = config;
  const options = {
    timeoutMs: config["clamav.timeoutMs"],
    maxBytes: config["clamav.maxBytes"],
    policy: config.scanPolicy,
  };
  if (socket !== undefined) return { clamd: { socket }, ...options };
  return host === undefined ? "no-scanner" : { clamd: { host, port }, ...options };
}
