import { documentTypes, isDocumentExtension, type DocumentExtension } from "../model/document-types.ts";
import { isRecord } from "../model/json.ts";
import type { Period } from "../model/retention.ts";

/** How a setting is read: from text (flag, variable) and from JSON (file). Both throw on a wrong value. */
export interface Kind<T> {
  readonly expected: string;
  fromText(text: string): T | undefined;
  fromJson(value: unknown): T | undefined;
}

export function oneOf<const T extends string>(...values: readonly T[]): Kind<T> {
  const find = (text: unknown) => values.find((value) => value === text);
  return { expected: `one of ${values.join(", ")}`, fromText: find, fromJson: find };
}

export const text: Kind<string> = {
  expected: "a text that is not empty",
  fromText: (value) => (value === "" ? undefined : value),
  fromJson: (value) => (typeof value === "string" && value !== "" ? value : undefined),
};

export const bool: Kind<boolean> = {
  expected: "true or false",
  fromText: (value) =>
    /^(1|true|yes|on)$/i.test(value) ? true : /^(0|false|no|off|)$/i.test(value) ? false : undefined,
  fromJson: (value) => (typeof value === "boolean" ? value : undefined),
};

export const port: Kind<number> = {
  expected: "a port from 0 to 65535",
  fromText: (value) => (/^\d{1,5}$/.test(value) && Number(value) < 65_536 ? Number(value) : undefined),
  fromJson: (value) =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) < 65_536 ? Number(value) : undefined,
};

/** An http(s) URL without query; the trailing slash is dropped. The SDK would leave a user name and password away. */
export const url: Kind<string> = {
  expected: "an http:// or https:// URL without user name and query",
  fromText(value) {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.search !== "") return undefined;
    // Also behind the host: there it is what is left of a password with a `/`, `?` or `#`.
    if (value.includes("@")) return undefined;
    return value.replace(/\/+$/, "");
  },
  fromJson: (value) => (typeof value === "string" ? url.fromText(value) : undefined),
};

/** A part of host names: what is pasted with a blank or a line break behind it would break each of them. */
export const region: Kind<string> = {
  expected: "the name of a region, such as eu-central-1",
  fromText: (value) => (/^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/i.test(value) ? value : undefined),
  fromJson: (value) => (typeof value === "string" ? region.fromText(value) : undefined),
};

/** S3: 3-63 characters of a-z, 0-9, dot and hyphen, starting and ending with a letter or digit. */
export const bucket: Kind<string> = {
  expected: "a bucket name (3-63 of a-z, 0-9, '.', '-')",
  fromText: (value) => (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value) ? value : undefined),
  fromJson: (value) => (typeof value === "string" ? bucket.fromText(value) : undefined),
};

/** DynamoDB: 3-255 characters of a-z, A-Z, 0-9, underscore, hyphen and dot. */
export const table: Kind<string> = {
  expected: "a table name (3-255 of a-z, A-Z, 0-9, '_', '-', '.')",
  fromText: (value) => (/^[\w.-]{3,255}$/.test(value) ? value : undefined),
  fromJson: (value) => (typeof value === "string" ? table.fromText(value) : undefined),
};

/** A whole number from `least` on. */
export function whole(least: number, expected: string): Kind<number> {
  const fits = (value: unknown) =>
    Number.isSafeInteger(value) && Number(value) >= least ? Number(value) : undefined;
  return {
    expected,
    fromText: (value) => (/^\d+$/.test(value) ? fits(Number(value)) : undefined),
    fromJson: fits,
  };
}

/** In text separated by commas, in a file a list. */
export const extensions: Kind<readonly DocumentExtension[]> = {
  expected: `some of ${documentTypes.map(({ ext }) => ext).join(", ")}`,
  fromText: (value) => extensions.fromJson(value.split(",").map((each) => each.trim())),
  fromJson: (value) =>
    Array.isArray(value) && value.length > 0 && value.every(isDocumentExtension) ? value : undefined,
};

/** `https://example.com`, as browsers send it, or `*`; in text separated by commas, in a file a list. */
export const origins: Kind<readonly string[]> = {
  expected: "origins such as https://example.com, or *",
  fromText: (value) => origins.fromJson(value.split(",").map((each) => each.trim())),
  fromJson: (value) =>
    Array.isArray(value) && value.length > 0 && value.every(isOrigin) ? (value as string[]) : undefined,
};

/** What begins with AWS/ is AWS's own: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html */
export const namespace: Kind<string> = {
  expected: "a namespace of CloudWatch (1-255 of a-z, A-Z, 0-9, '.', '-', '_', '/', '#', ':', and no AWS/)",
  fromText: (value) => (/^(?!AWS\/|:)[\w.\-/#:]{1,255}$/.test(value) ? value : undefined),
  fromJson: (value) => (typeof value === "string" ? namespace.fromText(value) : undefined),
};

/** In text `Environment=production,Site=main`, in a file an object. An address of a person is none. */
export const dimensions: Kind<Readonly<Record<string, string>>> = {
  expected: "at most 5 names with values, of a-z, A-Z, 0-9, '.', '-', '_', such as Environment=production",
  fromText(value) {
    const pairs = value.split(",").map((each) => each.trim().split("="));
    if (pairs.some((pair) => pair.length !== 2)) return undefined;
    const names = new Set(pairs.map(([name]) => name));
    return names.size < pairs.length ? undefined : dimensions.fromJson(Object.fromEntries(pairs));
  },
  fromJson(value) {
    if (!isRecord(value)) return undefined;
    const pairs = Object.entries(value);
    const fits = pairs.every(
      ([name, each]) =>
        /^[A-Za-z][\w.-]{0,63}$/.test(name) &&
        name !== "Command" &&
        typeof each === "string" &&
        /^[\w.-]{1,64}$/.test(each),
    );
    return fits && pairs.length <= 5 ? (value as Readonly<Record<string, string>>) : undefined;
  },
};

export const topic: Kind<string> = {
  expected: "the ARN of a topic of SNS, such as arn:aws:sns:eu-central-1:123456789012:alarms",
  fromText: (value) =>
    /^arn:aws[\w-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(\.fifo)?$/.test(value) ? value : undefined,
  fromJson: (value) => (typeof value === "string" ? topic.fromText(value) : undefined),
};

function isOrigin(value: unknown): boolean {
  return typeof value === "string" && (value === "*" || /^https?:\/\/[^/?#*\s]+$/.test(value));
}

/** A number, or `off` for no rule at all. */
export function period(least: number, what = "days"): Kind<Period> {
  const days = whole(least, "");
  return {
    expected: `a number of ${what} from ${least} on, or off`,
    fromText: (value) => (value === "off" ? value : days.fromText(value)),
    fromJson: (value) => (value === "off" ? value : days.fromJson(value)),
  };
}

export const newest = whole(0, "a number of the newest to keep");

export function optional<T>(kind: Kind<T>): Kind<T | undefined> {
  return kind;
}
