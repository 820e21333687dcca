/** One HTTP request, as the SDK's request handler and `local serve` both hand it to a local service. */
export interface LocalRequest {
  readonly method: string;
  /** Percent-encoded as it was sent (it is what a signature covers), from `/` on, without the query. */
  readonly path: string;
  /** Raw query string without the question mark; empty when there is none. */
  readonly query: string;
  /** Lower-case names; values as sent. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as sent, still `aws-chunked` where it came so; empty when there is none. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

export interface LocalResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

/** The one account of a local store. Made at random with the store and kept in it (mode 0600). */
export interface LocalCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The user pool that every local store has, in the region that it is opened for. */
export function localPoolId(region: string): string {
  return `${region}_Local0000`;
}

/** What a service needs to know of the world. */
export interface LocalOptions {
  readonly region: string;
  readonly credentials: LocalCredentials;
  readonly now: () => Date;
}

/**
 * One end behind the SDK: S3, DynamoDB, Cognito, CloudWatch, Application Auto Scaling. `handle` verifies the signature itself (header or presigned),
 * so that the in-process end and `local serve` refuse the same requests, and answers every fault as the service
 * would (an error document); it rejects only when the request was aborted or the disk fails.
 */
export interface LocalService {
  handle(request: LocalRequest): Promise<LocalResponse>;
  close(): Promise<void>;
}
