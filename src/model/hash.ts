import { createHash, createHmac } from "node:crypto";
import { canonicalJson } from "./json.ts";
import type { Model } from "./schema.ts";

/** SHA-256 in hex of what a model says: comments and the order of its keys change nothing. */
export function modelHash({ $schema: _schema, ...model }: Model): string {
  return createHash("sha256").update(canonicalJson(model)).digest("hex");
}

/** A model in one word, as entries and manifests name it: `MAWPS@1f0c2a9be77d`. */
export function modelText(model: Model): string {
  return `${model.name.replaceAll(/[^\w.-]+/g, "-")}@${modelHash(model).slice(0, 12)}`;
}

/** HMAC-SHA256 in hex: stands for somebody without naming them. @param salt in hex. */
export function keyedHash(text: string, salt: string): string {
  return createHmac("sha256", Buffer.from(salt, "hex")).update(text).digest("hex");
}
