import type { Scanner, Unasked } from "../../documents/scanning.ts";
import type { ChangingSite, DocumentSite } from "../../documents/site.ts";
import { configuredSite } from "../../target.ts";
import type { Access } from "../../world.ts";
import type { Run } from "../run.ts";

/** Opens the target for documents as configured; `writes` when the command may come to change something. */
export async function documentSite(run: Run, access: Access): Promise<DocumentSite> {
  const { openDocumentSite } = await import("../../documents/site.ts");
  return openDocumentSite({ ...documentPlace(run), aws: await run.aws(access) });
}

/** Opens the target to change documents; ends the command here when the audit trail cannot be written. */
export async function changingSite(run: Run): Promise<ChangingSite> {
  const { openDocumentSite } = await import("../../documents/site.ts");
  const aws = await run.aws("writes");
  const [site, trail, actor] = await Promise.all([
    openDocumentSite({ ...documentPlace(run), aws }),
    run.audit(),
    run.actor(),
  ]);
  return {
    ...site,
    actor,
    record: (events) => trail.recordAll(events),
    irreversible: (intent, act) => trail.irreversible(intent, act),
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

/** As Cognito writes a sub. */
function uuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
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
