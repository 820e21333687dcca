import { join } from "node:path";
import { vi } from "vitest";
import { openStore, type LocalStore } from "@mawps/local-aws/src/store.ts";
import { answerSts, isStsRequest } from "@mawps/local-aws/src/sts.ts";
import type { LocalService } from "@mawps/local-aws/src/service.ts";
import { startFaultyServer, type FaultyServer } from "./faulty-server.ts";
import { testStart, type Outcome, type TestHome } from "./world.ts";

export interface FaultySite {
  readonly server: FaultyServer;
  /** A command on the target `aws` at this server. */
  run(argv: readonly string[], env?: Record<string, string>): Promise<Outcome>;
  /** Lets go of the store; then `home.look` can open it. */
  close(): Promise<void>;
}

/**
 * The store of a home, set up as the site needs it, behind one port on which things go wrong: S3, DynamoDB, Cognito and STS, and KMS and IAM
 * where the test has them.
 */
export async function startFaultySite(
  home: TestHome,
  { kms, iam }: { readonly kms?: LocalService; readonly iam?: LocalService } = {},
): Promise<FaultySite> {
  await home.look(async () => undefined);
  const region = "eu-central-1";
  const now = () => new Date(testStart.getTime() + home.laterMs);
  const store = await openStore(join(home.folder, "store"), { region, now });
  const server = await startFaultyServer({
    async handle(request) {
      if (iam !== undefined && request.headers["authorization"]?.includes("/iam/aws4_request") === true)
        return iam.handle(request);
      // Before any other answer the SDK signs by this machine's clock, and STS is asked once.
      if (isStsRequest(request))
        return answerSts(request, { credentials: store.credentials, now: () => new Date() });
      const target = request.headers["x-amz-target"] ?? "";
      if (kms !== undefined && target.startsWith("TrentService.")) return kms.handle(request);
      return (await service(store, target)).handle(request);
    },
    close: async () => undefined,
  });
  // The SDK looks for credentials in the environment of the process.
  vi.stubEnv("AWS_ACCESS_KEY_ID", store.credentials.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", store.credentials.secretAccessKey);
  return {
    server,
    run(argv, env = {}) {
      return home.run(argv, {
        env: {
          MAWPS_TARGET: "aws",
          AWS_ENDPOINT_URL: server.url,
          AWS_REGION: region,
          ...env,
        },
        limits: { firstDelayMs: 1 },
      });
    },
    async close() {
      vi.unstubAllEnvs();
      await server.close();
      await store.close();
    },
  };
}

function service(store: LocalStore, target: string) {
  if (target.startsWith("DynamoDB_")) return store.dynamodb();
  return target === "" ? store.s3() : store.cognito();
}
