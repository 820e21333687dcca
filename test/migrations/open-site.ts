import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Aws } from "../../src/aws/clients.ts";
import { openStore } from "@mawps/local-aws/src/store.ts";
import { requestHandler } from "@mawps/local-aws/src/request-handler.ts";
import type { HeldLock, LockOptions } from "../../src/migrations/lock.ts";
import { takeLock } from "../../src/migrations/lock.ts";
import type { MigrationSite } from "../../src/migrations/migration.ts";
import type { Runner } from "../../src/migrations/runner.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { applySetup } from "../../src/setup/apply.ts";
import { planSetup } from "../../src/setup/plan.ts";
import { documentBucket, profileTable } from "../support/documents.ts";
import { startFaultyServer, type FaultyServer } from "../support/faulty-server.ts";
import type { Shape } from "../support/owner-item.ts";

export interface OpenedSite {
  readonly site: MigrationSite;
  readonly aws: Aws;
  /** The tables behind a port on which things go wrong, and a site whose items go through it. */
  faulty(): Promise<{ server: FaultyServer; site: MigrationSite }>;
  /** What happens before each update of a profile: somebody else at work. */
  beforeUpdate: (() => Promise<void>) | undefined;
  runner(site: MigrationSite, options?: Partial<LockOptions>): Promise<Runner & { lock: HeldLock }>;
  close(): Promise<void>;
}

/** A store with the site's buckets and tables, opened in this process, with the clock of the system. */
export async function openSite(shape: Shape): Promise<OpenedSite> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-test-"));
  const region = "eu-central-1";
  const store = await openStore(join(folder, "store"), { region, now: () => new Date() });
  const aws = connect({
    region,
    endpointUrl: "http://127.0.0.1",
    credentials: store.credentials,
    end: async (service) => requestHandler(await (service === "s3" ? store.s3() : store.dynamodb())),
  });
  const declaration = mawps({ ...defaultNames, newTableShape: shape });
  await applySetup(aws, await planSetup(aws, declaration), { fix: false });
  const site: MigrationSite = {
    aws,
    bucket: documentBucket,
    table: profileTable,
    migrationsTable: defaultNames.tables.migrations,
    shape: { kind: shape },
    uploadsBucket: "mawps-profile-images",
    apiTable: "mawps-user-documents",
    ownTable: "mawps-migrations",
    userPoolId: undefined,
    hashes: "read",
    isWebsiteOfToday: false,
    holds: async () => [],
    secrets: declaration.secrets,
    now: () => new Date(),
    signal: new AbortController().signal,
  };
  const servers: FaultyServer[] = [];
  const opened: OpenedSite = {
    site: { ...site, aws: { ...aws, dynamodb: async () => watched(await aws.dynamodb()) } },
    aws: connect({
      region,
      endpointUrl: "http://127.0.0.1",
      credentials: store.credentials,
      end: async (service) => requestHandler(await (service === "s3" ? store.s3() : store.dynamodb())),
    }),
    beforeUpdate: undefined,
    async faulty() {
      const server = await startFaultyServer(await store.dynamodb());
      servers.push(server);
      const through = server.aws({ credentials: store.credentials });
      return { server, site: { ...site, aws: { ...aws, dynamodb: through.dynamodb } } };
    },
    async runner(on, options = {}) {
      const owner = { id: crypto.randomUUID(), actor: "local:tester" };
      const here = { host: "here", pid: 1, isAlive: () => true };
      const lock = await takeLock(on, { owner, here, ...options });
      return {
        site: on,
        lock,
        by: "local:tester",
        tool: "mawps/test",
        batchSize: 2,
        onProgress: () => undefined,
      };
    },
    async close() {
      for (const server of servers) await server.close();
      aws.close();
      await store.close();
      await rm(folder, { recursive: true });
    },
  };

  function watched(client: DynamoDBClient): DynamoDBClient {
    client.middlewareStack.add(
      (next, context) => async (args) => {
        const { TableName } = args.input as { TableName?: string };
        const isUpdate = context["commandName"] === "UpdateItemCommand" && TableName === profileTable;
        if (isUpdate) await opened.beforeUpdate?.();
        return next(args);
      },
      { step: "initialize", name: "beforeUpdate", override: true },
    );
    return client;
  }
  return opened;
}
