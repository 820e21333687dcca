import type { Facts } from "./explain.ts";

const unreachable: Readonly<Record<string, string>> = {
  ENOTFOUND: "its name cannot be resolved",
  EAI_AGAIN: "names cannot be resolved just now",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut off",
  EPIPE: "the connection was cut off",
  ETIMEDOUT: "no answer came in time",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no network",
};

const untrusted = new Set([
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** Why a server could not be reached, or that what answered is no AWS. Only for errors of a call to AWS. */
export function explainNetwork(facts: Facts): readonly [message: string, hint?: string] | undefined {
  const { error, name, message, origin, context, status } = facts;
  if (origin === undefined) return undefined;
  const endpoint = origin.endpoint ?? context.endpointUrl ?? "AWS";
  const code = codeOf(error);
  const next =
    context.endpointUrl === undefined
      ? "Check the network, proxy and region, then run the command again."
      : "Check that the server runs and --endpoint-url is right.";
  if (code !== undefined && untrusted.has(code)) {
    return [
      `the certificate of ${endpoint} is not trusted (${code})`,
      "Behind a company proxy: NODE_EXTRA_CA_CERTS=/path/to/its-root.pem.",
    ];
  }
  if (code === "EPROTO" || code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return [`${endpoint} does not speak TLS`, "Perhaps its URL begins with http:// instead of https://."];
  }
  const reason =
    (code === undefined ? undefined : unreachable[code]) ??
    (message === "aborted" ? unreachable["ECONNRESET"] : undefined) ??
    (name === "TimeoutError" ? unreachable["ETIMEDOUT"] : undefined);
  if (reason !== undefined) {
    return [`cannot reach ${endpoint}: ${reason}${code === undefined ? "" : ` (${code})`}`, next];
  }
  // A captive portal or a proxy answers 200 with a page of its own.
  if (name === "SyntaxError" && status !== undefined) {
    return [`what answers at ${endpoint} is no AWS service`, next];
  }
  return undefined;
}

function codeOf(error: Error): string | undefined {
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.cause instanceof Error ? codeOf(error.cause) : undefined;
}
