import { InvalidArgumentError } from "@commander-js/extra-typings";
import { documentStatuses, tagFault, type DocumentStatus } from "../../model/documents.ts";
import { pluralFileType } from "../../model/keys.ts";
import { until } from "../audit/period.ts";

/** A document type as it is written: `certificate` becomes `certificates`. */
export function documentTypeOption(text: string): string {
  const type = pluralFileType(text.toLowerCase());
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(type)) {
    throw new InvalidArgumentError("expected a type of a-z, 0-9 and single hyphens, such as cover-letters.");
  }
  return type;
}

/** One more tag. */
export function tagOption(text: string, before: readonly string[] = []): readonly string[] {
  const fault = tagFault(text);
  if (fault !== undefined) throw new InvalidArgumentError(`the tag ${fault}.`);
  return before.includes(text) ? before : [...before, text];
}

export function statusOption(text: string): DocumentStatus {
  const status = documentStatuses.find((each) => each === text.toUpperCase());
  if (status === undefined) throw new InvalidArgumentError(`expected one of ${documentStatuses.join(", ")}.`);
  return status;
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** A time span in milliseconds: `30s`, `15m`, `12h`, `7d`, `2w`. */
export function spanOption(text: string): number {
  const span = /^([1-9]\d{0,4})([smhdw])$/.exec(text);
  if (span === null) throw new InvalidArgumentError("expected a time span: 30s, 15m, 12h, 7d or 2w.");
  return Number(span[1]) * unitMs[span[2] as keyof typeof unitMs];
}

/** A moment that is still to come: `90d`, or the end of a day, or a time. */
export function expiryOption(text: string): (now: Date) => Date {
  if (!/^\d+[a-z]$/.test(text)) return until(text);
  const ms = spanOption(text);
  return (now) => new Date(now.getTime() + ms);
}
