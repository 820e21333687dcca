import { parseJson } from "../json.ts";
import { S3Fault } from "./fault.ts";

interface PostPolicy {
  readonly expiresMs: number;
  readonly conditions: readonly Condition[];
}

type Condition =
  | { readonly kind: "eq" | "starts-with"; readonly field: string; readonly value: string }
  | { readonly kind: "length"; readonly min: number; readonly max: number };

/** Form fields that need no condition of their own. */
const free = new Set(["policy", "x-amz-signature", "file", "awsaccesskeyid", "signature", "submit"]);

/** Reads a policy document (base64): https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html */
export function parsePostPolicy(base64: string): PostPolicy {
  let document: unknown;
  try {
    document = parseJson(Buffer.from(base64, "base64").toString("utf8"));
  } catch {
    throw new S3Fault("InvalidPolicyDocument");
  }
  if (typeof document !== "object" || document === null) throw new S3Fault("InvalidPolicyDocument");
  const { expiration, conditions } = document as Record<string, unknown>;
  const expiresMs = typeof expiration === "string" ? Date.parse(expiration) : Number.NaN;
  if (Number.isNaN(expiresMs)) {
    throw new S3Fault("InvalidPolicyDocument", { message: "Invalid Policy: Invalid 'expiration' value" });
  }
  if (!Array.isArray(conditions)) {
    throw new S3Fault("InvalidPolicyDocument", {
      message: "Invalid Policy: Invalid 'conditions' value: must be a List.",
    });
  }
  return { expiresMs, conditions: conditions.flatMap(parseCondition) };
}

/** Checks every field of a form against the policy. Returns the limits of the file's length in bytes. */
export function checkPostPolicy(
  policy: PostPolicy,
  fields: ReadonlyMap<string, string>,
  now: Date,
): { readonly min: number; readonly max: number } {
  if (now.getTime() > policy.expiresMs) {
    throw new S3Fault("AccessDenied", { message: "Invalid according to Policy: Policy expired." });
  }
  let limits = { min: 0, max: Infinity };
  const covered = new Set<string>();
  for (const condition of policy.conditions) {
    if (condition.kind === "length") {
      limits = { min: condition.min, max: condition.max };
      continue;
    }
    covered.add(condition.field);
    const actual = fields.get(condition.field) ?? "";
    if (!meets(condition, actual)) {
      throw new S3Fault("AccessDenied", {
        message: `Invalid according to Policy: Policy Condition failed: ["${condition.kind}", "$${condition.field}", "${condition.value}"]`,
      });
    }
  }
  for (const name of fields.keys()) {
    if (covered.has(name) || free.has(name) || name.startsWith("x-ignore-") || name === "bucket") continue;
    throw new S3Fault("AccessDenied", {
      message: `Invalid according to Policy: Extra input fields: ${name}`,
    });
  }
  return limits;
}

function meets(condition: Extract<Condition, { field: string }>, actual: string): boolean {
  if (condition.kind === "eq") return actual === condition.value;
  // Several content types may stand in one field; each must fit.
  const values = condition.field === "content-type" ? actual.split(",") : [actual];
  return values.every((value) => value.trimStart().startsWith(condition.value));
}

function parseCondition(source: unknown): Condition[] {
  if (Array.isArray(source)) {
    const [kind, first, second] = source as unknown[];
    const name = typeof kind === "string" ? kind.toLowerCase() : "";
    if (name === "content-length-range") {
      const [min, max] = [Number(first), Number(second)];
      if (Number.isNaN(min) || Number.isNaN(max)) throw new S3Fault("InvalidPolicyDocument");
      return [{ kind: "length", min, max }];
    }
    if (
      (name === "eq" || name === "starts-with") &&
      typeof first === "string" &&
      typeof second === "string"
    ) {
      return [{ kind: name, field: first.replace(/^\$/, "").toLowerCase(), value: second }];
    }
    throw new S3Fault("InvalidPolicyDocument");
  }
  if (typeof source !== "object" || source === null) throw new S3Fault("InvalidPolicyDocument");
  return Object.entries(source).map(([field, value]): Condition => {
    return { kind: "eq", field: field.toLowerCase(), value: String(value) };
  });
}
