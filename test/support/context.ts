import { noAudit } from "../../src/audit/audit.ts";
import type { Aws } from "../../src/aws/clients.ts";
import type { Config } from "../../src/config/config.ts";
import type { Context } from "../../src/context.ts";
import type { Names } from "../../src/model/mawps.ts";
import { configuredNames, configuredSite } from "../../src/target.ts";
import { quietly } from "./signal.ts";
import { testStart } from "./world.ts";

/** A context as a command would make it, that says nothing and keeps no trail; with other parts where a test gives them. */
export function contextOn(aws: Aws, config: Config, parts: Partial<Context> = {}): Context {
  const { buckets, tables } = configuredNames(config) as Names;
  return {
    aws,
    connect: () => Promise.resolve(aws),
    model: config.site,
    declaration: configuredSite(config),
    declarationUnder: (prefix) => configuredSite(config, prefix),
    buckets,
    tables,
    publicBaseUrl: config.publicBaseUrl,
    dryRun: false,
    signal: quietly(),
    audit: noAudit,
    target: config.target,
    machine: { host: "test-host", pid: 1, isAlive: () => false },
    actor: () => Promise.resolve("local:tester"),
    account: () => Promise.resolve(undefined),
    databases: () => Promise.resolve([]),
    databasesNamed: () => Promise.resolve([]),
    backups: {
      ...config.backup,
      besideStore: undefined,
      cwd: "/",
      passphrase: undefined,
      askPassphrase: undefined,
      passphraseWork: undefined,
      spool: "/tmp",
      keyFolder: "/tmp",
    },
    inventory: undefined,
    metrics: undefined,
    explaining: {},
    place: [],
    stateFolder: "/",
    version: "0.0.0",
    now: () => testStart,
    machineNow: () => testStart,
    randomHex: (bytes) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex"),
    progress() {},
    measure() {},
    note() {},
    warn() {},
    ...parts,
  };
}
