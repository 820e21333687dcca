import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { DocumentSite } from "../../documents/site.ts";
import { documentStatuses, tagFault, type DocumentStatus } from "../../model/documents.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { mawpsModel } from "../../model/mawps.ts";
import type { Model } from "../../model/schema.ts";
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

/** One more field: `submissionId=s-1`. */
export function fieldOption(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, value] = /^([A-Za-z_]\w*)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError("expected a field and its value, such as submissionId=s-1.");
  return { ...before, [name]: value };
}

/** What an upload says of documents beside their files. */
interface Said {
  readonly type?: string | undefined;
  readonly tag?: readonly string[] | undefined;
  readonly expires?: unknown;
  readonly expiring?: unknown;
  readonly public?: boolean | undefined;
  readonly createProfile?: boolean | undefined;
  readonly field?: Readonly<Record<string, string>> | undefined;
  readonly by?: string | undefined;
  readonly attach?: readonly string[] | undefined;
}

export function byOption() {
  return new Option(
    "--by <who>",
    "who of the site uploads it, by id or address: needed where the site keeps that",
  );
}

export function attachOption() {
  return new Option(
    "--attach <kind:id>",
    "what it is attached to besides; may be given several times",
  ).argParser(oneMore);
}

/** One more text. */
function oneMore(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Who uploads documents, and what these are attached to besides, as entries have it. @throws CliError where there is nobody, or nothing, of that name. */
export async function attribution(
  { rows }: DocumentSite,
  userId: string,
  { by, attach = [] }: Pick<Said, "by" | "attach">,
): Promise<{ readonly uploader?: string; readonly attached?: Readonly<Record<string, string>> }> {
  if (rows === undefined) return {};
  const { attachedFields, uploaderOf } = await import("../../documents/row-accounts.ts");
  return {
    ...(by === undefined ? {} : { uploader: await uploaderOf(rows, by) }),
    attached: await attachedFields(rows, userId, attach),
  };
}

/** Ends the command where it says what the documents of the site have no field for; before anything is opened. */
export function assertFields(
  site: Model,
  said: Pick<Said, "type" | "tag" | "expires" | "expiring" | "public">,
): void {
  const { fields = {} } = site.features?.documents ?? {};
  const words = [
    ["--type", said.type, fields.type],
    ["--tag", said.tag, fields.tags],
    ["--expires", said.expires, fields.expiresAt],
    ["--expiring", said.expiring, fields.expiresAt],
    ["--public", said.public, fields.isPublic],
  ] as const;
  const strange = words.find(([, value, field]) => value !== undefined && field === undefined);
  if (strange !== undefined)
    throw usage(`${strange[0]} is not for ${site.name}: its documents have no such field`, "leave it out");
}

function usage(message: string, hint: string): CliError {
  return new CliError(message, { exitCode: exitCodes.usage, hint });
}

/** Ends the command, before anything is opened, where it says what the site has no word for, or leaves out what it needs. */
export async function assertSayable(site: Model, said: Said): Promise<void> {
  const { documents } = site.features ?? {};
  const { fields = {} } = documents ?? {};
  assertFields(site, said);
  if (fields.type !== undefined && said.type === undefined)
    throw usage("say what they are: --type", "--type cv, certificates, cover-letters, ...");
  await assertAttribution(site, said);
  const given = Object.keys(said.field ?? {});
  if (site === mawpsModel || documents === undefined) {
    if (given.length > 0)
      throw usage(`--field is not for ${site.name}: keys are made without`, "leave it out");
    return;
  }
  if (said.createProfile === true)
    throw usage(`--create-profile is not for ${site.name}: it has no profiles of that kind`, "leave it out");
  const { fieldsToGive } = await import("../../model/document-files.ts");
  const wanted = fieldsToGive(site, documents);
  const missing = wanted.filter((name) => !given.includes(name));
  if (missing.length > 0)
    throw usage(
      `the key of a file needs ${missing.join(", ")}`,
      missing.map((name) => `--field ${name}=...`).join(" "),
    );
  const unknown = given.find((name) => !wanted.includes(name));
  if (unknown !== undefined)
    throw usage(
      `the key of a file has no field ${unknown} that is to be given`,
      wanted.length === 0 ? "leave --field out" : `it has: ${wanted.join(", ")}`,
    );
}

async function assertAttribution(site: Model, { by, attach = [] }: Said): Promise<void> {
  const { attachedTo = {} } = site.features?.documents ?? {};
  const kinds = Object.keys(attachedTo);
  const strange = attach.find((text) => !kinds.some((kind) => text.startsWith(`${kind}:`)));
  if (strange !== undefined)
    throw usage(
      `--attach ${strange} is not for ${site.name}`,
      kinds.length === 0 ? "leave it out" : `it knows ${kinds.map((kind) => `${kind}:<id>`).join(", ")}`,
    );
  const entity =
    site === mawpsModel ? undefined : (await import("../../model/document-files.ts")).uploaderEntity(site);
  if (by !== undefined && entity === undefined)
    throw usage(`--by is not for ${site.name}: whoever is at work uploads them`, "leave it out");
  if (by === undefined && entity !== undefined)
    throw usage("say who uploads it: --by", `--by takes an id or an address of its ${entity}`);
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
  try {
    if (!/^\d+[a-z]$/.test(text)) return until(text);
    const ms = spanOption(text);
    return (now) => new Date(now.getTime() + ms);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(
      "expected a time span from 1 to 99999 of s, m, h, d or w (30d), a day (2027-01-31) or a time to come.",
    );
  }
}

/** @throws CliError where a moment that an option names is over. */
export function ahead(option: string, moment: (now: Date) => Date, now: Date): Date {
  const date = moment(now);
  if (date <= now) throw usage(`${option} is in the past: ${date.toISOString()}`, "name a moment to come");
  return date;
}
