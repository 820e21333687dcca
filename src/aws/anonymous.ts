import { createHash } from "node:crypto";
import type { Aws } from "./clients.ts";
import { isLate, repeats } from "./cuts.ts";
import { unreached } from "./explain/unreached.ts";

/** What anybody out there gets. */
export interface PublicAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  /** Hex, of the body as it came. */
  readonly sha256: string;
}

/** That no whole answer came, which says nothing of what is there. */
export interface NoAnswer {
  readonly status: undefined;
  readonly why: string;
  readonly hint?: string;
}

/** What the end of a client answers, without the SDK's middleware. */
export interface EndAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array> | Uint8Array;
}

/**
 * GETs a URL as anybody could, unsigned, and sums up the body without keeping it. It goes through the S3 client's own end,
 * so that it reaches what that client reaches: AWS, a CDN, a custom endpoint, the store in this process. Any status is
 * an answer, that of a busy server when it stays so; redirects are not followed. A connection that is cut is asked
 * again; where no answer comes, or not to its end, the reason is given. Rejects on abort and on bugs.
 */
export async function anonymousGet(
  aws: Aws,
  url: string,
  signal?: AbortSignal,
): Promise<PublicAnswer | NoAnswer> {
  if (!URL.canParse(url)) return { status: undefined, why: "it is no address that can be opened" };
  try {
    return await patientAnswer(aws, new URL(url), signal);
  } catch (error) {
    signal?.throwIfAborted();
    const { explain } = await import("./explain/explain.ts");
    const explained = explain(error, { region: aws.region, endpointUrl: aws.endpointUrl });
    if (explained === undefined) throw error;
    return { status: undefined, why: explained.message, hint: explained.hint };
  }
}

/** How servers say that they will answer in a moment. */
const busy = new Set([429, 500, 503]);

async function patientAnswer(aws: Aws, url: URL, signal: AbortSignal | undefined): Promise<PublicAnswer> {
  const tries = repeats(aws.limits, signal);
  for (;;) {
    try {
      const answer = await wholeAnswer(aws, url, signal);
      if (!busy.has(answer.status) || !(await tries.whenBusy())) return answer;
    } catch (error) {
      // What stays silent is told soon: it is looked at, not needed.
      if (isLate(error) || !(await tries.again(error))) throw error;
    }
  }
}

async function wholeAnswer(aws: Aws, url: URL, signal: AbortSignal | undefined): Promise<PublicAnswer> {
  const s3 = await aws.s3();
  const { response } = await s3.config.requestHandler.handle(
    // Handlers read these fields only; the class would have to be loaded for nothing.
    requestOf(url) as never,
    { abortSignal: signal },
  );
  const { statusCode, headers, body } = response as unknown as EndAnswer;
  return {
    status: statusCode,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    ...(await summed(body, url)),
  };
}

async function summed(
  body: EndAnswer["body"],
  { origin }: URL,
): Promise<Pick<PublicAnswer, "sizeBytes" | "sha256">> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  try {
    for await (const chunk of answerParts(body)) {
      hash.update(chunk);
      sizeBytes += chunk.byteLength;
    }
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    if (typeof code === "string" || name === "TimeoutError")
      unreached.set(error as Error, { host: origin, proxy: undefined, isSigned: false });
    throw error;
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}

/** To be read to its end or left (which ends the answer). */
export function answerParts(body: EndAnswer["body"]): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return body instanceof Uint8Array ? [body] : (body ?? []);
}

/** A GET as anybody sends it, with the fields that handlers read. */
export function requestOf(url: URL) {
  const names = [...url.searchParams.keys()];
  return {
    method: "GET",
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port === "" ? {} : { port: Number(url.port) }),
    path: url.pathname,
    query: Object.fromEntries(names.map((name) => [name, url.searchParams.getAll(name)])),
    headers: { host: url.host, "user-agent": "mawps", accept: "*/*" },
  };
}
