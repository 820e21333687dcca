import type { LocalRequest } from "../service.ts";
import type { Target } from "./call.ts";
import { S3Fault } from "./fault.ts";

/** `bucket.localhost:1234`, `bucket.s3.localhost`, `bucket.s3.eu-central-1.amazonaws.com` and the like. */
const virtualHosts = [
  /^(.+?)\.(?:s3[.\w-]*\.)?localhost$/,
  /^(.+)\.s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?$/,
];

/** Bucket and key of a request, by its host or its path. Throws InvalidURI. */
export function targetOf(request: LocalRequest): Target {
  const host = (request.headers["host"] ?? "").toLowerCase().replace(/:\d+$/, "");
  const path = request.path.replace(/^\//, "");
  const bucket = virtualHosts.map((pattern) => pattern.exec(host)?.[1]).find((name) => name !== undefined);
  if (bucket !== undefined && bucket !== "s3") return withKey(bucket, path);
  const slash = path.indexOf("/");
  const first = decode(slash < 0 ? path : path.slice(0, slash));
  if (first === "") return {};
  return withKey(first, slash < 0 ? "" : path.slice(slash + 1));
}

/** Parameters by name, decoded; the first of a name counts, one without `=` is "". Throws InvalidURI. */
export function parametersOf(request: LocalRequest): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of request.query.split("&")) {
    if (part === "") continue;
    const at = part.indexOf("=");
    const name = decode((at < 0 ? part : part.slice(0, at)).replaceAll("+", "%20"));
    const value = at < 0 ? "" : decode(part.slice(at + 1).replaceAll("+", "%20"));
    if (!parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

function withKey(bucket: string, rawKey: string): Target {
  return rawKey === "" ? { bucket } : { bucket, key: decode(rawKey) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Fault("InvalidURI", { fields: { URI: text } });
  }
}
