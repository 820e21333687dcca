import type { LocalResponse } from "../service.ts";
import { type Call, bucketOf, respond } from "./call.ts";
import { S3Fault } from "./fault.ts";
import type { Bucket } from "./records.ts";
import { matches } from "./wildcards.ts";
import { type XmlElement, childrenOf, textOf } from "./xml.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html */
const maxRules = 100;
const methods = new Set(["GET", "PUT", "HEAD", "POST", "DELETE"]);
const vary = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/** Checks a CORS configuration as S3 does when it is put. */
export function checkCors(document: XmlElement): XmlElement {
  const rules = childrenOf(document, "CORSRule");
  if (rules.length === 0 || rules.length > maxRules) throw new S3Fault("MalformedXML");
  for (const rule of rules) {
    const origins = texts(rule, "AllowedOrigin");
    const allowed = texts(rule, "AllowedMethod");
    if (origins.length === 0 || allowed.length === 0) throw new S3Fault("MalformedXML");
    for (const method of allowed) {
      if (!methods.has(method)) {
        throw new S3Fault("InvalidRequest", {
          message: `Found unsupported HTTP method in CORS config. Unsupported method is ${method}`,
        });
      }
    }
    for (const [name, values] of [
      ["AllowedOrigin", origins],
      ["AllowedHeader", texts(rule, "AllowedHeader")],
    ] as const) {
      const many = values.find((value) => value.split("*").length > 2);
      if (many !== undefined) {
        throw new S3Fault("InvalidRequest", {
          message: `${name} "${many}" can not have more than one wildcard.`,
        });
      }
    }
  }
  return document;
}

/** Answers a browser's preflight; needs no signature. */
export async function preflight(call: Call): Promise<LocalResponse> {
  const origin = call.headers["origin"];
  const method = call.headers["access-control-request-method"];
  if (origin === undefined) {
    throw new S3Fault("BadRequest", { message: "Insufficient information. Origin request header needed." });
  }
  if (method === undefined || !methods.has(method)) {
    throw new S3Fault("BadRequest", {
      message: "Invalid Access-Control-Request-Method: " + (method ?? "null"),
    });
  }
  const asked =
    call.headers["access-control-request-headers"]
      ?.split(",")
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== "") ?? [];
  const bucket = bucketOf(call);
  if (bucket.cors === undefined) {
    throw new S3Fault("AccessForbidden", { message: "CORSResponse: CORS is not enabled for this bucket." });
  }
  const rule = findRule(bucket, { origin, method, asked });
  if (rule === undefined) {
    throw new S3Fault("AccessForbidden", {
      message:
        "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
    });
  }
  const maxAge = textOf(rule, "MaxAgeSeconds");
  return respond(200, {
    ...allowance(rule, origin),
    "access-control-allow-headers": asked.length === 0 ? undefined : asked.join(", "),
    "access-control-max-age": maxAge,
  });
}

/** Headers that let the page of a matching origin see an answer; none when no rule matches. */
export function corsHeaders(
  bucket: Bucket | undefined,
  call: Pick<Call, "headers" | "request">,
): Record<string, string> {
  const { origin } = call.headers;
  if (origin === undefined || bucket?.cors === undefined) return {};
  const rule = findRule(bucket, { origin, method: call.request.method, asked: [] });
  return rule === undefined ? {} : allowance(rule, origin);
}

function findRule(
  bucket: Bucket,
  wanted: { readonly origin: string; readonly method: string; readonly asked: readonly string[] },
): XmlElement | undefined {
  return childrenOf(bucket.cors, "CORSRule").find((rule) => {
    const headers = texts(rule, "AllowedHeader").map((name) => name.toLowerCase());
    return (
      texts(rule, "AllowedOrigin").some((pattern) => matches(pattern, wanted.origin)) &&
      texts(rule, "AllowedMethod").includes(wanted.method) &&
      wanted.asked.every((name) => headers.some((pattern) => matches(pattern, name)))
    );
  });
}

function allowance(rule: XmlElement, origin: string): Record<string, string> {
  const anybody = texts(rule, "AllowedOrigin").includes("*");
  const exposed = texts(rule, "ExposeHeader");
  return {
    "access-control-allow-origin": anybody ? "*" : origin,
    "access-control-allow-methods": texts(rule, "AllowedMethod").join(", "),
    ...(anybody ? {} : { "access-control-allow-credentials": "true" }),
    ...(exposed.length === 0 ? {} : { "access-control-expose-headers": exposed.join(", ") }),
    vary,
  };
}

function texts(rule: XmlElement, name: string): string[] {
  return childrenOf(rule, name).map((child) => child.text.trim());
}
