import { CreateBucketCommand, PutBucketVersioningCommand } from "@aws-sdk/client-s3";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Aws } from "../../src/aws/clients.ts";
import { requestHandler } from "@mawps/local-aws/src/request-handler.ts";
import { openStore } from "@mawps/local-aws/src/store.ts";
import { startFaultyServer, type FaultyServer } from "./faulty-server.ts";

export interface LocalAws {
  /** A folder of its own, for the files of a test too. */
  readonly folder: string;
  /** Clients on a local store in this process. */
  readonly aws: Aws;
  /** A service of the same store, S3 unless told otherwise, behind a port on which things go wrong, and clients of it. */
  faulty(service?: "s3" | "dynamodb" | "cognito"): Promise<{ server: FaultyServer; aws: Aws }>;
  close(): Promise<void>;
}

/** A local store with the buckets `plain` and `versioned`. */
export async function openLocalAws(): Promise<LocalAws> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-test-"));
  const region = "eu-central-1";
  const store = await openStore(join(folder, "store"), { region, now: () => new Date() });
  const aws = connect({
    region,
    endpointUrl: "http://127.0.0.1",
    credentials: store.credentials,
    end: async (service) =>
      service === "sts" || service === "kms" || service === "iam"
        ? undefined
        : requestHandler(await store[service]()),
  });
  const servers: FaultyServer[] = [];
  const s3 = await aws.s3();
  for (const Bucket of ["plain", "versioned"]) await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: "versioned", VersioningConfiguration: { Status: "Enabled" } }),
  );
  return {
    folder,
    aws,
    async faulty(service = "s3") {
      const server = await startFaultyServer(await store[service]());
      servers.push(server);
      return { server, aws: server.aws({ credentials: store.credentials }) };
    },
    async close() {
      for (const server of servers) await server.close();
      aws.close();
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}
