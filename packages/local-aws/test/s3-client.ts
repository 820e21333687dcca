import { S3 } from "@aws-sdk/client-s3";
import { requestHandler } from "../src/request-handler.ts";
import { openS3 } from "../src/s3/open.ts";
import type { LocalService } from "../src/service.ts";

const credentials = { accessKeyId: "LOCALACCESSKEY", secretAccessKey: "local-secret" };
const region = "eu-central-1";

export interface OpenStore {
  readonly service: LocalService;
  readonly s3: S3;
  close(): Promise<void>;
}

/** Opens a store in `dir`, with the SDK's client before it. */
export async function openStore(dir: string): Promise<OpenStore> {
  const service = await openS3(dir, { region, credentials, now: () => new Date() });
  const s3 = new S3({
    region,
    credentials,
    requestHandler: requestHandler(service) as never,
    maxAttempts: 1,
  });
  return {
    service,
    s3,
    async close() {
      s3.destroy();
      await service.close();
    },
  };
}
