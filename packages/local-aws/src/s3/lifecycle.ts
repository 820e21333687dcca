import { randomUUID } from "node:crypto";
import { type FaultCode, S3Fault } from "./fault.ts";
import { type XmlElement, childOf, childrenOf, textOf } from "./xml.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html */
const maxRules = 1000;

const actions = [
  "Expiration",
  "Transition",
  "NoncurrentVersionExpiration",
  "NoncurrentVersionTransition",
  "AbortIncompleteMultipartUpload",
] as const;

/** Checks a lifecycle configuration as S3 does when it is put; gives every rule an id. */
export function checkLifecycle(document: XmlElement): XmlElement {
  const rules = childrenOf(document, "Rule");
  if (rules.length === 0 || rules.length > maxRules) throw new S3Fault("MalformedXML");
  const named = rules.map(checkRule);
  const ids = named.map((rule) => textOf(rule, "ID"));
  if (new Set(ids).size < ids.length) {
    throw wrong("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule");
  }
  return { ...document, text: "", children: named };
}

function checkRule(rule: XmlElement): XmlElement {
  const id = textOf(rule, "ID");
  if (id !== undefined && id.length > 255) {
    throw wrong("InvalidArgument", "ID length should not exceed allowed limit of 255");
  }
  const status = textOf(rule, "Status");
  if (status !== "Enabled" && status !== "Disabled") throw new S3Fault("MalformedXML");
  const filtered = childOf(rule, "Filter") !== undefined;
  if (filtered === (childOf(rule, "Prefix") !== undefined)) throw new S3Fault("MalformedXML");
  if (!actions.some((action) => childOf(rule, action) !== undefined)) {
    throw wrong("InvalidRequest", "At least one action needs to be specified in a rule");
  }
  checkExpiration(childOf(rule, "Expiration"));
  for (const transition of childrenOf(rule, "Transition")) {
    checkAge(transition, { days: "Days", least: 0 });
    if (textOf(transition, "StorageClass") === undefined) throw new S3Fault("MalformedXML");
  }
  const expiration = childOf(rule, "NoncurrentVersionExpiration");
  if (expiration !== undefined) checkAge(expiration, { days: "NoncurrentDays", least: 1 });
  const abort = childOf(rule, "AbortIncompleteMultipartUpload");
  if (abort !== undefined) checkAge(abort, { days: "DaysAfterInitiation", least: 1 });
  if (id) return rule;
  const children = rule.children.filter((child) => child.name !== "ID");
  return { ...rule, children: [{ name: "ID", text: randomUUID(), children: [] }, ...children] };
}

function checkExpiration(expiration: XmlElement | undefined): void {
  if (expiration === undefined) return;
  const given = ["Days", "Date", "ExpiredObjectDeleteMarker"].filter(
    (name) => textOf(expiration, name) !== undefined,
  );
  if (given.length !== 1) throw new S3Fault("MalformedXML");
  if (given[0] !== "ExpiredObjectDeleteMarker") checkAge(expiration, { days: "Days", least: 1 });
}

function checkAge(action: XmlElement, { days: name, least }: { days: string; least: number }): void {
  const days = textOf(action, name);
  const date = textOf(action, "Date");
  if (date !== undefined) {
    if (!/^\d{4}-\d\d-\d\d(T00:00:00(\.0+)?(Z|\+00:00))?$/.test(date)) {
      throw wrong("InvalidArgument", "'Date' must be at midnight GMT");
    }
    return;
  }
  if (days === undefined || !/^-?\d+$/.test(days)) throw new S3Fault("MalformedXML");
  if (Number(days) < least) {
    const sign = least === 0 ? "nonnegative" : "positive";
    throw wrong("InvalidArgument", `'${name}' for ${action.name} action must be a ${sign} integer`);
  }
}

function wrong(code: FaultCode, message: string): S3Fault {
  return new S3Fault(code, { message });
}
