import type { ApplicationAutoScalingClient } from "@aws-sdk/client-application-auto-scaling";
import type { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import type { CognitoIdentityProviderClient } from "@aws-sdk/client-cognito-identity-provider";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { IAMClient } from "@aws-sdk/client-iam";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import type { STSClient } from "@aws-sdk/client-sts";
import { credentialChain } from "./credentials.ts";
import { rememberOrigins } from "./explain/error-origin.ts";
import type { End, Service } from "./end.ts";
import { defaultLimits, type Limits, type Reach } from "./limits.ts";
import type { Env } from "./proxy.ts";
import { sdkRetries } from "./sdk-retries.ts";
import { serverClock } from "./server-clock.ts";

export interface ConnectOptions {
  readonly region: string;
  readonly profile?: string;
  /** A server instead of AWS; S3 is then addressed path-style. */
  readonly endpointUrl?: string;
  /** Only where the end has an account of its own (the local store); else the SDK's default chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The end behind a service's client, opened with the client; undefined means the network. */
  readonly end?: ((service: Service) => Promise<End | undefined>) | undefined;
  /** Names proxies and certificates for the way over the network. */
  readonly env?: Env;
  /** Tests shorten them. */
  readonly limits?: Partial<Limits>;
  /** The machine's clock, with which the server's is compared. */
  readonly now?: (() => Date) | undefined;
}

interface Closable {
  readonly middlewareStack: { remove(name: string): boolean };
  destroy(): void;
}

/** The SDK clients, each loaded and made on first use. */
export interface Aws {
  readonly region: string;
  readonly endpointUrl: string | undefined;
  readonly limits: Limits;
  readonly s3: () => Promise<S3Client>;
  readonly dynamodb: () => Promise<DynamoDBClient>;
  readonly cognito: () => Promise<CognitoIdentityProviderClient>;
  readonly cloudwatch: () => Promise<CloudWatchClient>;
  readonly autoscaling: () => Promise<ApplicationAutoScalingClient>;
  readonly sts: () => Promise<STSClient>;
  readonly iam: () => Promise<IAMClient>;
  /** In the region of a key: it may be another one than the site's. */
  readonly kms: (region: string) => Promise<KMSClient>;
  /** The time by the clock of the server that answered last; undefined until one has. */
  readonly serverTime: () => Date | undefined;
  /** From then on no call is repeated, by `performance.now()`: to be said before the last of them. */
  leaveAt(atMs: number): void;
  /** Closes idle sockets. The ends belong to whoever opened them. */
  close(): void;
}

/**
 * Prepares clients for one target. Nothing is loaded or sent before the first call. The SDK's own defaults hold
 * (credential chain, checksums) but for what it has none of, time limits, and for how often a call is repeated;
 * path-style addressing only with a custom endpoint, also one that the SDK finds by itself.
 */
export function connect(options: ConnectOptions): Aws {
  const made: Closable[] = [];
  const limits = { ...defaultLimits, ...options.limits };
  const reach: Reach = { isSilent: false, isClosed: false };
  const clock = serverClock(options.now ?? (() => new Date()));
  const refusals: string[] = [];
  const ofKms = new Map<string, () => Promise<KMSClient>>();
  let chain: ReturnType<typeof credentialChain> | undefined;

  async function overNetwork(): Promise<End> {
    const { network } = await import("./network.ts");
    return network({ env: options.env ?? {}, limits, reach });
  }

  async function settings(service: Service) {
    const end = clock.listening((await options.end?.(service)) ?? (await overNetwork()));
    const retryStrategy = sdkRetries(limits, reach);
    chain ??= credentialChain({ requestHandler: end, retryStrategy, limits });
    return {
      region: options.region,
      profile: options.profile,
      endpoint: options.endpointUrl,
      credentials: options.credentials,
      logger: refusalsInto(refusals),
      retryStrategy,
      credentialDefaultProvider: chain,
      // The SDK types its handler by its own classes; an end speaks the same shapes.
      requestHandler: end as never,
    };
  }

  function once<T extends Closable>(service: Service, make: () => Promise<T>): () => Promise<T> {
    let client: Promise<T> | undefined;
    return () =>
      (client ??= make().then((opened) => {
        made.push(opened);
        rememberOrigins(service, opened, refusals);
        // It copies what is sent and what comes for a log that nobody keeps: an item of 60 KB is read in less time.
        opened.middlewareStack.remove("loggerMiddleware");
        return opened;
      }));
  }

  return {
    region: options.region,
    endpointUrl: options.endpointUrl,
    limits,
    s3: once("s3", async () => {
      const [{ S3Client }, common] = await Promise.all([import("./s3/sdk.ts"), settings("s3")]);
      const client = new S3Client(common);
      const { config } = client;
      // Asked with each call, and for an endpoint that the SDK finds in AWS_ENDPOINT_URL_S3 or its files, too.
      const isCustom = async () =>
        config.isCustomEndpoint === true ||
        (!config.ignoreConfiguredEndpointUrls && (await config.serviceConfiguredEndpoint?.()) !== undefined);
      Object.assign(config, { forcePathStyle: isCustom });
      return client;
    }),
    dynamodb: once("dynamodb", async () => {
      const [{ DynamoDBClient }, common] = await Promise.all([
        import("./dynamodb/sdk.ts"),
        settings("dynamodb"),
      ]);
      return new DynamoDBClient(common);
    }),
    cognito: once("cognito", async () => {
      const [{ CognitoIdentityProviderClient }, common] = await Promise.all([
        import("./cognito/sdk.ts"),
        settings("cognito"),
      ]);
      return new CognitoIdentityProviderClient(common);
    }),
    cloudwatch: once("cloudwatch", async () => {
      const [{ CloudWatchClient }, common] = await Promise.all([
        import("./cloudwatch/sdk.ts"),
        settings("cloudwatch"),
      ]);
      return new CloudWatchClient(common);
    }),
    autoscaling: once("autoscaling", async () => {
      const [{ ApplicationAutoScalingClient }, common] = await Promise.all([
        import("./autoscaling/sdk.ts"),
        settings("autoscaling"),
      ]);
      return new ApplicationAutoScalingClient(common);
    }),
    sts: once("sts", async () => {
      const [{ STSClient }, common] = await Promise.all([import("@aws-sdk/client-sts"), settings("sts")]);
      return new STSClient(common);
    }),
    iam: once("iam", async () => {
      const [{ IAMClient }, common] = await Promise.all([import("./iam/sdk.ts"), settings("iam")]);
      return new IAMClient(common);
    }),
    kms(region) {
      const client =
        ofKms.get(region) ??
        once("kms", async () => {
          const [{ KMSClient }, common] = await Promise.all([import("./kms/sdk.ts"), settings("kms")]);
          return new KMSClient({ ...common, region });
        });
      ofKms.set(region, client);
      return client();
    },
    serverTime: () => clock.now(),
    leaveAt(atMs) {
      reach.leaveAtMs = atMs;
    },
    close() {
      reach.isClosed = true;
      for (const client of made) client.destroy();
    },
  };
}

/** Those who can give credentials tell their reasons to a log alone; the SDK's error holds the last one's, who was often not meant. */
function refusalsInto(refusals: string[]) {
  const provider = "@smithy/property-provider ";
  const nothing = () => {};
  return {
    debug(text: unknown) {
      if (typeof text !== "string" || !text.startsWith(provider)) return;
      refusals.push(text.slice(provider.length).replace(/^(->|\(!\)) /, ""));
      if (refusals.length > mostRefusals) refusals.shift();
    },
    trace: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
  };
}

const mostRefusals = 30;
