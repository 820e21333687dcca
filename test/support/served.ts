import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { vi } from "vitest";
import type { LocalCredentials } from "@mawps/local-aws/src/service.ts";
import { findServing } from "@mawps/local-aws/src/store.ts";
import type { TestHome } from "./world.ts";

export interface ServedHome {
  readonly endpoint: string;
  readonly credentials: LocalCredentials;
  /** Ends the server and waits until it has let go of the store. */
  stop(): Promise<void>;
}

/** `mawps local serve` on the store of a home, with the home's clock; commands of the home then go through it. */
export async function serveHome(
  home: TestHome,
  { port = 0, env = {} }: { port?: number; env?: Record<string, string> } = {},
): Promise<ServedHome> {
  const end = new AbortController();
  const running = home.run(["local", "serve", "--port", String(port)], { signal: end.signal, env });
  const failed = running.then(({ stderr }) => {
    throw new Error(`local serve ended: ${stderr}`);
  });
  // Heard where it matters; when the test ends the server, it is no failure.
  failed.catch(() => undefined);
  for (;;) {
    const serving = await findServing(join(home.folder, "store"));
    if (serving !== undefined) {
      const { endpoint, ...credentials } = serving;
      return {
        endpoint,
        credentials,
        async stop() {
          end.abort();
          await running;
        },
      };
    }
    await Promise.race([sleep(10), failed]);
  }
}

/** The variables under which the store that is served stands for AWS; the test has to call `vi.unstubAllEnvs`. */
export function asAws({ endpoint, credentials }: ServedHome): Record<string, string> {
  vi.stubEnv("AWS_ACCESS_KEY_ID", credentials.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", credentials.secretAccessKey);
  return { MAWPS_TARGET: "aws", AWS_ENDPOINT_URL: endpoint };
}
