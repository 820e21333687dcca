export type Service = "s3" | "dynamodb" | "cognito" | "cloudwatch" | "autoscaling" | "sts" | "kms" | "iam";

/**
 * The seam at which an end of our own stands in for the network: the SDK's `requestHandler`. Requests and
 * responses are the SDK's `HttpRequest` and `HttpResponse`; told apart by shape, so that no SDK is loaded here.
 */
export interface End {
  handle(request: unknown, options?: { abortSignal?: unknown }): Promise<{ response: unknown }>;
  destroy?(): void;
}
