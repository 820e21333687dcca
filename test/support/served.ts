import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findServing } from "../../src/local/store.ts";
import type { TestHome } from "./world.ts";

export interface ServedHome {
  readonly endpoint: string;
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
      return {
        endpoint: serving.endpoint,
        async stop() {
          end.abort();
          await running;
        },
      };
    }
    await Promise.race([sleep(10), failed]);
  }
}
