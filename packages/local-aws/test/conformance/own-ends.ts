import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requestHandler } from "../../src/request-handler.ts";
import { serve } from "../../src/serve.ts";
import { type LocalStore, openStore } from "../../src/store.ts";
import { type End, httpEnd, inProcessEnd, type KnownEnd } from "./ends.ts";

const region = "eu-central-1";
const now = () => new Date();

/** Our own ends, each on a new store that goes away with it: behind the SDK's request handler, and `local serve`. */
export function ownEnds(service: "s3" | "dynamodb" | "cognito"): KnownEnd[] {
  return [
    { name: "the end in-process", server: undefined, open: () => openInProcess(service) },
    { name: "local serve", server: undefined, open: openServed },
  ];
}

async function openInProcess(service: "s3" | "dynamodb" | "cognito"): Promise<End> {
  const { dir, store } = await newStore();
  const end = inProcessEnd(await store[service](), { region, credentials: store.credentials });
  return {
    ...end,
    s3: { requestHandler: requestHandler(await store.s3()) },
    async close() {
      await store.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function openServed(): Promise<End> {
  const { dir, store } = await newStore();
  const served = await serve(store, { dir, region, port: 0, now });
  return httpEnd(served.endpoint, {
    region,
    credentials: store.credentials,
    async close() {
      await served.close();
      await rm(dir, { recursive: true, force: true });
    },
  });
}

async function newStore(): Promise<{ dir: string; store: LocalStore }> {
  const dir = await mkdtemp(join(tmpdir(), "mawps-conformance-"));
  return { dir, store: await openStore(dir, { region, now }) };
}
