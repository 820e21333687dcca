import { own } from "../../model/json.ts";
import { codeOf } from "../cuts.ts";
import { isForeignAnswer, type Explanation, type Facts } from "./facts.ts";
import { unreached, WebPageError, type Unreached } from "./unreached.ts";

const unreachable: Readonly<Record<string, string>> = {
  ENOTFOUND: "its name cannot be resolved",
  EAI_AGAIN: "names cannot be resolved just now",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut off",
  EPIPE: "the connection was cut off",
  ERR_STREAM_PREMATURE_CLOSE: "the connection was cut off",
  HPE_INVALID_EOF_STATE: "the connection was cut off",
  ETIMEDOUT: "no answer came in time",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no network",
};

/** Codes of OpenSSL and Node for a certificate: https://docs.openssl.org/3.0/man1/openssl-verification-options/ */
const untrusted = /CERT|^UNABLE_TO_VERIFY_LEAF_SIGNATURE$/;

/** Why a server could not be reached, or that what answered is no AWS. Only for errors of a call to AWS. */
export function explainNetwork(facts: Facts): Explanation | undefined {
  const { error, name, message, origin, context, status } = facts;
  const failed = unreached.get(error);
  if (origin === undefined && failed === undefined) return undefined;
  const endpoint = failed?.host ?? origin?.endpoint ?? context.endpointUrl ?? "AWS";
  const code = codeOf(error);
  const next = nextStep(facts, failed);
  if (code === "ERR_INVALID_URL") {
    // What stands there may hold a password.
    return [
      "an address in the settings of AWS is no URL",
      "Look at AWS_ENDPOINT_URL_*, endpoint_url of the profile, and AWS_CONTAINER_CREDENTIALS_FULL_URI: each is an http:// or https:// URL.",
    ];
  }
  if (code === "ERR_PROXY") {
    return [
      `the proxy ${failed?.proxy ?? ""} does not open the way to ${endpoint}: ${message}`,
      "407 asks for a name and password: HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT. Otherwise ask whoever runs it, or list the host in NO_PROXY.",
    ];
  }
  if (code !== undefined && untrusted.test(code)) {
    return [
      `the certificate of ${endpoint} is not trusted (${code})`,
      failed?.bundle === undefined
        ? "Behind a company proxy: NODE_EXTRA_CA_CERTS=/path/to/its-root.pem."
        : `Only what AWS_CA_BUNDLE names is: ${failed.bundle}. Put its root into that file, or unset the variable.`,
    ];
  }
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || (code === "EPROTO" && !/alert/i.test(message))) {
    return [`${endpoint} does not speak TLS`, "Perhaps its URL begins with http:// instead of https://."];
  }
  if (code === "EPROTO" || code?.startsWith("ERR_SSL_")) {
    return [`${endpoint} refuses TLS as this computer speaks it (${sslReason(error)})`, next];
  }
  if (code?.startsWith("HPE_")) return [`what answers at ${endpoint} does not speak HTTP (${code})`, next];
  const reason =
    (code === undefined ? undefined : own(unreachable, code)) ??
    (message === "aborted" ? unreachable["ECONNRESET"] : undefined) ??
    (name === "TimeoutError" ? unreachable["ETIMEDOUT"] : undefined);
  if (reason !== undefined) {
    const way = failed?.proxy === undefined ? "" : ` through the proxy ${failed.proxy}`;
    return [`cannot reach ${endpoint}${way}: ${reason}${code === undefined ? "" : ` (${code})`}`, next];
  }
  // A captive portal or a proxy answers 200 with a page of its own.
  if (isForeignAnswer(facts) && status !== undefined) {
    return [`what answers at ${endpoint} is no AWS service`, next];
  }
  return undefined;
}

function nextStep({ origin, context }: Facts, failed: Unreached | undefined): string {
  if (failed?.proxy !== undefined)
    return "HTTPS_PROXY or HTTP_PROXY names the proxy; NO_PROXY lists what is reached without it.";
  if (failed?.isSigned === false && isPublic(failed.host, context)) {
    return "It is asked as anybody would ask: check publicBaseUrl (MAWPS_PUBLIC_BASE_URL) and the network.";
  }
  if (failed !== undefined && givesCredentials.test(failed.host) && origin?.service !== "sts") {
    return "The credentials come from there: check the network, the proxy and the region of the profile.";
  }
  return context.endpointUrl === undefined
    ? "Check the network, proxy and region, then run the command again."
    : "Check that the server runs and --endpoint-url is right.";
}

/** Services that give credentials are asked without a signature, too. */
function isPublic(host: string, { endpointUrl }: Facts["context"]): boolean {
  return host !== endpointUrl && !givesCredentials.test(host);
}

const givesCredentials = /^https:\/\/(sts|oidc|portal\.sso|signin)\./;

/** What answers, and answers with a page for people. */
export function noAws({ error, context }: Facts): Explanation | undefined {
  if (!(error instanceof WebPageError)) return undefined;
  const elsewhere = URL.canParse(error.location ?? "")
    ? `, but sends to ${new URL(error.location ?? "").origin}`
    : "";
  return [
    `what answers at ${error.host} is no AWS service${elsewhere}`,
    context.endpointUrl === undefined
      ? "A sign-in page of the network, or a proxy, may be in between: open a page in a browser first, or set HTTPS_PROXY."
      : "Check that --endpoint-url is right, and that nothing in between wants you to sign in.",
  ];
}

/** Of OpenSSL's many words, such as `tlsv1 unrecognized name`. */
function sslReason({ message }: Error): string {
  return /error:[\dA-F]+:[^:]*:[^:]*:([^:]+)/i.exec(message)?.[1] ?? message;
}
