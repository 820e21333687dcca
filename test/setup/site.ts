import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Aws, connect } from "../../src/aws/clients.ts";
import { requestHandler } from "@mawps/local-aws/src/request-handler.ts";
import { openStore } from "@mawps/local-aws/src/store.ts";

export interface Site {
  readonly aws: Aws;
  close(): Promise<void>;
}

export const region = "eu-central-1" as const;

/** An empty store in this process, reached by the SDK's own clients. */
export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-site-"));
  const store = await openStore(folder, { region, now: () => new Date() });
  const aws = connect({
    region,
    endpointUrl: "http://127.0.0.1:9700",
    credentials: store.credentials,
    async end(service) {
      return service === "sts" || service === "kms" || service === "iam"
        ? undefined
        : requestHandler(await store[service]());
    },
  });
  return {
    aws,
    async close() {
      aws.close();
      await store.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
