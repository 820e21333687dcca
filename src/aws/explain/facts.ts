import type { ErrorOrigin } from "./error-origin.ts";

/** What the call was made with, for the messages. */
export interface ExplainContext {
  readonly profile?: string;
  readonly region?: string;
  readonly endpointUrl?: string;
}

/** An SDK error, looked at from outside: nothing of the SDK is loaded here. */
export interface Facts {
  readonly error: Error;
  readonly name: string;
  readonly message: string;
  /** HTTP status, when there was an answer. */
  readonly status: number | undefined;
  /** Fields of S3's error document, such as `Region`. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly origin: ErrorOrigin | undefined;
  readonly context: ExplainContext;
}

/** Message and hint. */
export type Explanation = readonly [message: string, hint?: string];

/** Whether the answer was in no language of AWS: by the names that the SDK's readers of JSON and of XML have for it. Pure. */
export function isForeignAnswer({ name, message }: Pick<Facts, "name" | "message">): boolean {
  return name === "SyntaxError" || message.startsWith("@aws-sdk XML parse error");
}
