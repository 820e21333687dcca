import type { ExecException } from "node:child_process";
import type { defaultProvider as sdkChain } from "@aws-sdk/credential-provider-node";
import type { Limits } from "./limits.ts";

/** How the chain of those who can give credentials asks other servers. */
interface Asking {
  /** The way of the site's own calls. */
  readonly requestHandler: unknown;
  readonly retryStrategy: unknown;
  readonly limits: Limits;
}

type Chain = ReturnType<typeof sdkChain>;

/**
 * The SDK's default chain, one for all clients that it is given to: a program that `credential_process` names runs once. Within the limits and through the proxies of all other calls: left to itself it asks SSO for credentials
 * without any, and waits for ever for a program that `credential_process` names.
 */
export function credentialChain({ limits, ...clientConfig }: Asking) {
  let chain: Promise<Chain> | undefined;
  return (init: object): Chain =>
    async (caller) => {
      chain ??= openChain({ ...init, clientConfig }, limits);
      return (await chain)(caller);
    };
}

type Done = (error: Error | null, output: { readonly stdout: string }) => void;

async function openChain(init: object, limits: Limits): Promise<Chain> {
  const [{ defaultProvider }, { externalDataInterceptor }] = await Promise.all([
    import("@aws-sdk/credential-provider-node"),
    import("@smithy/core/config"),
  ]);
  const failures = new Map<string, Error>();
  const run = (command: string, done: Done) => {
    // Two links of the chain know of the same program: one that failed is not run again.
    const failed = failures.get(command);
    if (failed !== undefined) return done(failed, { stdout: "" });
    const ended = (error: ExecException | null, stdout: string) => {
      const failure =
        error?.killed === true
          ? new Error(`Command failed: ${command}\nno answer within ${limits.inVainMs} ms`)
          : error;
      if (failure !== null) failures.set(command, failure);
      done(failure, { stdout });
    };
    // Loaded only where a program is named. A command that is too long, or has a NUL, is thrown at once.
    import("node:child_process")
      .then(({ exec }) => exec(command, { timeout: limits.inVainMs, killSignal: "SIGKILL" }, ended))
      .catch(({ code = "" }: NodeJS.ErrnoException) => {
        // Node's own text may have the command in it, which is nobody's to read.
        ended(new Error(`Command failed: ${command}\nit cannot be started (${code})`), "");
      });
  };
  // The SDK has no other way to say how such a program is run.
  externalDataInterceptor.interceptToken("exec", run);
  const provider = defaultProvider(init);
  return async (caller) => {
    try {
      return await provider(caller);
    } finally {
      // Asked again an hour later it may well give some.
      failures.clear();
    }
  };
}
