import { InvalidArgumentError } from "@commander-js/extra-typings";
import type { ExportPlace } from "../../../aws/dynamodb/table-export.ts";

/** DynamoDB: 3 to 255 characters of a-z, A-Z, 0-9, underscore, hyphen and dot; of tables and backups alike. */
export function nativeName(text: string): string {
  if (/^[\w.-]{3,255}$/.test(text)) return text;
  throw new InvalidArgumentError("expected 3 to 255 of a-z, A-Z, 0-9, '_', '-', '.'.");
}

/** `s3://bucket` or `s3://bucket/prefix`. */
export function s3Place(text: string): ExportPlace {
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(text) ?? [];
  if (bucket === undefined) throw new InvalidArgumentError("expected s3://bucket or s3://bucket/prefix.");
  return { bucket, prefix: prefix.replace(/\/+$/, "") };
}
