import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { connect, type Aws } from "./aws/clients.ts";
import type { End } from "./aws/end.ts";
import { valueOf, type Config } from "./config/config.ts";
import { CliError, exitCodes } from "./errors.ts";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import type { LocalStore } from "@mawps/local-aws/src/store.ts";
import type { MadeStore } from "./migrations/new-store.ts";
import type { Declaration } from "./model/declaration.ts";
import { modelHash } from "./model/hash.ts";
import { mawpsModel } from "./model/mawps.ts";
import { declarationOf, type SiteNames } from "./model/declare.ts";
import { makeFolders } from "./make-folders.ts";
import { tellingFaults } from "./store-faults.ts";
import { version } from "./version.ts";
import type { Step } from "./setup/step.ts";
import type { Access, Connection, World } from "./world.ts";
import { documentPlaces } from "./model/feature-places.ts";
import { toolRoles } from "./model/tool-tables.ts";

/** What lies in the folder of a local store beside what its services keep: databases that are embedded, and backups. */
const besideServices = { databases: "postgres", backups: "backups" } as const;

/** The names of the site's resources as configured, by the roles of its model. */
export function configuredNames(config: Config): SiteNames {
  const { site, region, websiteOrigins, newTableShape, anchorBucket, anchorLock } = config;
  const poolId = userPoolId(config);
  const named = (group: "buckets" | "tables") =>
    Object.fromEntries(
      Object.entries(site[group]).map(([role, { name }]) => [
        role,
        String(valueOf(config, `${group}.${role}`) ?? name),
      ]),
    );
  return {
    region,
    buckets: named("buckets"),
    tables: named("tables"),
    websiteOrigins,
    ...(anchorBucket === undefined ? {} : { anchorBucket }),
    ...(anchorLock === "off" ? {} : { anchorLock }),
    newTableShape,
    ...(poolId === undefined ? {} : { userPoolId: poolId }),
  };
}

/** The user pool as configured; a local store has one of its own. */
function userPoolId(config: Config): string | undefined {
  return config.userPoolId ?? (config.target === "local" ? localPoolId(config.region) : undefined);
}

/**
 * The site with its names and periods as configured.
 * @param prefix stands in front of the names of buckets and tables; what lies beside the site so has no anchors of the site's.
 * @throws CliError (usage) where the anchors of the audit trail would lie open to everybody.
 */
export function configuredSite(config: Config, prefix = ""): Declaration {
  const names = namesUnder(configuredNames(config), prefix);
  const declaration = declarationOf(config.site, names, config.retention);
  const { anchorBucket } = names;
  if (declaration.buckets.some(({ name, access }) => name === anchorBucket && access === "public"))
    throw new CliError(`anchorBucket: ${anchorBucket} is the site's public bucket`, {
      exitCode: exitCodes.usage,
      hint: "name a private one, best in another account: docs/audit-trail.md",
    });
  return declaration;
}

function namesUnder(configured: SiteNames, prefix: string): SiteNames {
  if (prefix === "") return configured;
  const { anchorBucket: _, ...names } = configured;
  const under = (all: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(all).map(([role, name]) => [role, `${prefix}${name}`]));
  return { ...names, buckets: under(names.buckets), tables: under(names.tables) };
}

/** Folder of the local store: `home`, seen from the current folder. */
export function storeFolder(config: Config, world: Pick<World, "cwd">): string {
  return resolve(world.cwd, config.home);
}

/** Clients for the configured target: AWS (or a server in its place), or the embedded local store. */
export async function connectTarget(
  config: Config,
  access: Access,
  world: Pick<World, "cwd" | "now" | "signal" | "env" | "limits">,
): Promise<Connection> {
  if (config.target === "local") return connectLocal(config, access, world);
  const { env, limits, now } = world;
  refuseBrokenCredentials(env);
  const { region, profile, endpointUrl } = config;
  const aws = connect({ region, profile, endpointUrl, env, limits, now });
  return {
    aws,
    where: config.endpointUrl ?? "",
    async close() {
      aws.close();
    },
  };
}

/** What was pasted or read with a line break behind it would be refused by AWS without a word of that, or could not be sent at all. */
function refuseBrokenCredentials(env: World["env"]): void {
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]) {
    if (!/[^!-~]/.test(env[name] ?? "")) continue;
    throw new CliError(`${name}: holds a blank, a line break or another character that no key has`, {
      exitCode: exitCodes.usage,
      hint: "set it again without what was pasted or read along with it",
    });
  }
}

/**
 * The local store, through `local serve` where one owns it, else opened in this process. A store that does not
 * exist is made for a writing command; a reading one sees an empty one in a temporary folder instead.
 */
async function connectLocal(
  config: Config,
  access: Access,
  world: Pick<World, "cwd" | "now" | "signal">,
): Promise<Connection> {
  const { reachStore, storeExists } = await import("@mawps/local-aws/src/store.ts");
  const folder = storeFolder(config, world);
  const passing = !(await tellingFaults(storeExists(folder))) && access === "reads";
  const opened = passing ? await mkdtemp(join(tmpdir(), "mawps-")) : folder;
  // The package's own way to make folders never ends in some places.
  if (!passing) await makeFolders(folder, 0o700);
  const store = await tellingFaults(
    reachStore(opened, { region: config.region, now: world.now, signal: world.signal }),
  );
  if ("endpoint" in store) {
    const { endpoint } = store;
    const { now } = world;
    const aws = connect({ region: config.region, endpointUrl: endpoint, credentials: store, now });
    const served = {
      aws,
      where: `${folder} (served at ${endpoint})`,
      databases: join(folder, besideServices.databases),
      async close() {
        aws.close();
      },
    };
    return provisioned(config, served, { folder, now });
  }
  const aws = passing ? connectPassing(config, store, world) : connectInside(config, store, world);
  const inside: Connection = {
    aws,
    where: folder,
    databases: join(opened, besideServices.databases),
    keepsNothing: passing,
    async close() {
      aws.close();
      await store.close();
      if (passing) await rm(opened, { recursive: true, force: true });
    },
  };
  return passing ? inside : provisioned(config, inside, { folder: opened, now: world.now });
}

/**
 * Clients on an empty store: a bucket or table is made when it is first asked for. All of them take as long to make as a
 * command takes to start, and most commands read one.
 */
function connectPassing(config: Config, store: LocalStore, world: Pick<World, "now">): Aws {
  const site = configuredSite(config);
  const makers = connectInside(config, store, world);
  const migrated = documentPlaces(config.site)?.table;
  const parts = [
    ...site.buckets.map((bucket) => ({ ...bucket, has: { buckets: [bucket], tables: [] } })),
    ...site.tables.map((table) => {
      // What is to be migrated is told by the two together.
      const beside = table.role === toolRoles.migrations ? migrated : table.when?.role;
      const tables = site.tables.filter((one) => one === table || one.role === beside);
      return { ...table, has: { buckets: [], tables } };
    }),
  ];
  const done: Step[] = [];
  const made = new Map<string, Promise<void>>();
  let making = Promise.resolve();
  const makeBehind = async (before: Promise<void>, { role, has }: (typeof parts)[number]) => {
    await before;
    done.push(...(await setUp(makers, { ...site, ...has })));
    if (role === toolRoles.migrations && config.site === mawpsModel)
      await noteNew(makers, { declaration: site, done, now: world.now() });
  };
  const make = (part: (typeof parts)[number]) => {
    const known = made.get(part.name);
    if (known !== undefined) return known;
    // One after the other: two parts may hold the same table.
    making = makeBehind(making, part);
    made.set(part.name, making);
    return making;
  };
  const before = (end: End): End => ({
    ...end,
    async handle(request, options) {
      const { path, body } = request as { readonly path: string; readonly body?: unknown };
      const asked = `${path} ${textOf(body)}`;
      const named = parts.filter(({ name }) => asked.includes(name));
      for (const part of named.length > 0 ? named : parts) await make(part);
      return end.handle(request, options);
    },
  });
  return connectInside(config, store, { now: world.now, before });
}

/** Of a body that is at hand; a stream is one of bytes for an object, whose bucket the path names. */
function textOf(body: unknown): string {
  if (typeof body === "string") return body;
  if (!(body instanceof Uint8Array)) return "";
  // The SDK warns of whoever takes its bytes for a text: `Buffer.from` asks for one.
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
}

/** Clients on a store that is open in this process, and goes by its clock; or on what is put before its services. */
function connectInside(
  config: Config,
  store: LocalStore,
  { now, before = (end) => end }: Pick<World, "now"> & { readonly before?: (end: End) => End },
): Aws {
  return connect({
    now,
    region: config.region,
    endpointUrl: localEndpoint(config),
    credentials: store.credentials,
    async end(service): Promise<End | undefined> {
      const { requestHandler } = await import("@mawps/local-aws/src/request-handler.ts");
      if (service === "s3") return before(requestHandler(await store.s3()));
      if (service === "dynamodb") return before(requestHandler(await store.dynamodb()));
      if (service === "cognito") return requestHandler(await store.cognito());
      if (service === "autoscaling") return requestHandler(await store.autoscaling());
      if (service === "cloudwatch") return requestHandler(await store.cloudwatch());
      return undefined;
    },
  });
}

/** A new local store in `folder`, with its user pool, but neither tables nor buckets: for a restore on trial. */
export async function connectThrowaway(
  config: Config,
  folder: string,
  world: Pick<World, "now" | "signal">,
): Promise<Connection & { readonly poolId: string }> {
  const { openStore } = await import("@mawps/local-aws/src/store.ts");
  const store = await tellingFaults(
    openStore(folder, { region: config.region, now: world.now, signal: world.signal }),
  );
  const aws = connectInside(config, store, world);
  return {
    aws,
    where: folder,
    poolId: localPoolId(config.region),
    async close() {
      aws.close();
      await store.close();
    },
  };
}

/** Whether `local serve` answers for the store now: only then do links into it open. */
export async function isLocalServed(config: Config, world: Pick<World, "cwd">): Promise<boolean> {
  const { findServing } = await import("@mawps/local-aws/src/store.ts");
  return (await tellingFaults(findServing(storeFolder(config, world)))) !== undefined;
}

/** Folder of the backups in a local store, where they are in no other place. */
export function backupsInStore(config: Config, world: Pick<World, "cwd">): string {
  return join(storeFolder(config, world), besideServices.backups);
}

export async function localStoreExists(config: Config, world: Pick<World, "cwd">): Promise<boolean> {
  const { storeExists } = await import("@mawps/local-aws/src/store.ts");
  return tellingFaults(storeExists(storeFolder(config, world)));
}

/** Deletes the local store; a folder that is none is refused. */
export async function resetLocal(config: Config, world: Pick<World, "cwd" | "signal">): Promise<void> {
  const { resetStore } = await import("@mawps/local-aws/src/store.ts");
  const { signal } = world;
  await tellingFaults(
    resetStore(storeFolder(config, world), { signal, beside: Object.values(besideServices) }),
  );
}

/** Takes a lock for this process alone, and waits for another one that has it. */
export async function lockFolder(folder: string, signal: AbortSignal): Promise<{ release(): Promise<void> }> {
  const { takeLock } = await import("@mawps/local-aws/src/lock.ts");
  return tellingFaults(takeLock(folder, { signal }));
}

export interface LocalServer {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Resolves when the server has ended and let go of the store. */
  readonly closed: Promise<void>;
}

/** Serves the local store on 127.0.0.1 until the world's signal is aborted. */
export async function serveLocal(
  config: Config,
  world: Pick<World, "cwd" | "now" | "signal">,
  port: number,
): Promise<LocalServer> {
  const [{ findServing, openStore }, { serve }] = await Promise.all([
    import("@mawps/local-aws/src/store.ts"),
    import("@mawps/local-aws/src/serve.ts"),
  ]);
  const folder = storeFolder(config, world);
  const serving = await tellingFaults(findServing(folder));
  if (serving !== undefined) {
    throw new CliError(`the store is being served already, at ${serving.endpoint}`, {
      hint: `use that one, or stop it: kill ${serving.pid}`,
    });
  }
  // The buckets and tables are made before anybody can ask for them.
  await (await connectLocal(config, "writes", world)).close();
  const store = await tellingFaults(
    openStore(folder, { region: config.region, now: world.now, signal: world.signal }),
  );
  try {
    const { now, signal } = world;
    const server = await tellingFaults(
      serve(store, { dir: folder, region: config.region, port, now, signal }),
    );
    return { endpoint: server.endpoint, region: config.region, ...store.credentials, closed: server.closed };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Where `mawps local serve` answers unless told otherwise; links of a store that is not served point there. */
function localEndpoint(config: Config): string {
  return `http://127.0.0.1:${config.local.port}`;
}

/** Makes what is missing of the declaration, and answers what that was. */
async function setUp(aws: Aws, declaration: Declaration): Promise<readonly Step[]> {
  const [{ planSetup }, { applySetup }] = await Promise.all([
    import("./setup/plan.ts"),
    import("./setup/apply.ts"),
  ]);
  return (await applySetup(aws, await planSetup(aws, declaration), { fix: false })).done;
}

async function noteNew(aws: Aws, made: Omit<MadeStore, "tool">): Promise<void> {
  const { noteNewStore } = await import("./migrations/new-store.ts");
  await noteNewStore(aws, { ...made, tool: `mawps/${version}` });
}

/** The buckets and tables of the declaration are made once in a local store; the names made are remembered. */
async function provisioned(
  config: Config,
  connection: Connection,
  { folder, now }: { readonly folder: string; readonly now: () => Date },
): Promise<Connection> {
  const marker = join(folder, "provisioned.json");
  const ofModel = config.site === mawpsModel ? {} : { model: modelHash(config.site) };
  const wanted = JSON.stringify({ ...configuredNames(config), ...ofModel });
  try {
    const made = await readFile(marker, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    if (!made.split("\n").includes(wanted)) {
      const declaration = configuredSite(config);
      const done = await setUp(connection.aws, declaration);
      if (config.site === mawpsModel) await noteNew(connection.aws, { declaration, done, now: now() });
      await writeFile(marker, `${made}${wanted}\n`, { mode: 0o600 });
    }
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}
