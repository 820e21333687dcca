import type { Entity, Model } from "../model/schema.ts";
import { storeText } from "../model/graph.ts";
import { objectTemplates, ownerField } from "../model/objects.ts";
import { keyOf } from "../model/table-keys.ts";
import { bucketArn, tableArn, type AccessSite } from "./place.ts";
import type { Statement } from "./policy.ts";

/** Something that no policy can keep to its owner, and what does it instead. */
export interface NotExpressible {
  readonly entity: string;
  readonly why: string;
  readonly instead: string;
}

interface Fenced {
  readonly statements: readonly Statement[];
  readonly notExpressible: readonly NotExpressible[];
}

/** The id that the identity pool gives on from the user pool's sub as a tag of the session; not the identity pool's own id. */
const tag = "${aws:PrincipalTag/userId}";
const website = "the website reads it for them, with its own role, and checks whose it is";

/**
 * What a signed-in person may read with credentials of their own: their folders, and the rows under their own id. Nothing is written so: what
 * is sent goes through links that the website signs, and is looked at first.
 */
export function ownRows(site: AccessSite): Fenced {
  const parts = Object.entries(site.model.entities).map(([name, entity]) => {
    if (entity.links === undefined) return nothing;
    if ("bucket" in entity.from) return ownObjects(site, name, entity);
    if ("database" in entity.from) {
      const why = "it is a row of an SQL table, of which IAM knows nothing";
      return { ...nothing, notExpressible: [{ entity: name, why, instead: website }] };
    }
    return ownItems(site, name, entity);
  });
  return {
    statements: merged(parts.flatMap(({ statements }) => statements)),
    notExpressible: parts.flatMap(({ notExpressible }) => notExpressible),
  };
}

const nothing: Fenced = { statements: [], notExpressible: [] };

function ownObjects({ model, declaration }: AccessSite, name: string, entity: Entity): Fenced {
  const { from } = entity;
  const bucket = "bucket" in from ? declaration.buckets.find(({ role }) => role === from.bucket) : undefined;
  if (bucket === undefined) return nothing;
  const owner = isPersonal(model, entity) ? ownerField(entity) : undefined;
  const keys = objectTemplates(entity, bucket.role).map(({ text, fields }) => {
    if (owner === undefined || !fields.includes(owner)) return undefined;
    const own = text
      .replace(`{${owner}}`, "\0")
      .replaceAll(/\{\w+\+?\}/g, "*")
      .replace("\0", tag);
    // A star matches slashes as well: what stands behind it is in nobody's folder for certain.
    return own.indexOf("*") === -1 || own.indexOf("*") > own.indexOf(tag) ? own : undefined;
  });
  const fenced = keys.flatMap((key) => (key === undefined ? [] : [`${bucketArn(bucket.name)}/${key}`]));
  const why = "whose it is does not stand at the beginning of its key, and IAM's * goes over slashes";
  const instead = "links that the website signs for one object";
  return {
    statements:
      fenced.length === 0
        ? []
        : [{ Sid: "OwnFiles", Effect: "Allow", Action: ["s3:GetObject"], Resource: fenced }],
    notExpressible: keys.includes(undefined) ? [{ entity: name, why, instead }] : [],
  };
}

/** Whether it is about somebody with an account, who could have credentials. */
function isPersonal({ subjects }: Model, { links = [] }: Entity): boolean {
  return links.some(({ subject, role }) => role === "subject" && subjects[subject]?.accounts !== undefined);
}

const reads = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"] as const;

function ownItems(site: AccessSite, name: string, entity: Entity): Fenced {
  const { from, at, links = [] } = entity;
  // What lies in an item is read with it.
  if (!("table" in from) || "database" in from || at !== undefined) return nothing;
  const { [from.table]: table } = site.model.tables;
  const declared = site.declaration.tables.find(({ role }) => role === from.table);
  if (table === undefined || declared === undefined || table.tool !== undefined) return nothing;
  const subject = links.find(
    ({ role, subject: who }) =>
      (role === "subject" || role === "member") && site.model.subjects[who]?.accounts !== undefined,
  );
  const by = typeof subject?.by === "string" ? subject.by : undefined;
  const arn = tableArn(site, declared.name);
  const places =
    by === undefined
      ? []
      : [
          { resource: arn, actions: reads, partition: [keyOf(table)].flat()[0] ?? "" },
          ...Object.entries(table.indexes ?? {}).map(([index, { key }]) => ({
            resource: `${arn}/index/${index}`,
            actions: ["dynamodb:Query"] as const,
            partition: [key].flat()[0] ?? "",
          })),
        ];
  const statements = places.flatMap(({ resource, actions, partition }): Statement[] => {
    const value = leadingKey(entity, partition, by ?? "");
    if (value === undefined) return [];
    return [
      {
        Sid: "OwnRows",
        Effect: "Allow",
        Action: actions,
        Resource: [resource],
        Condition: {
          "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": [value] },
          // A scan, a statement of PartiQL and a batch name no key: of no key all are equal to anything.
          Null: { "dynamodb:LeadingKeys": "false" },
        },
      },
    ];
  });
  if (statements.length > 0) return { statements, notExpressible: [] };
  const why = "whose it is does not stand in a partition key, which is all that IAM sees of a row";
  return { statements: [], notExpressible: [{ entity: name, why, instead: website }] };
}

/** The partition key of a person's own items; undefined where it says more than whose they are, or something else. */
function leadingKey({ key }: Entity, partition: string, by: string): string | undefined {
  const templates =
    typeof key === "string" || Array.isArray(key) || key === undefined ? undefined : key[partition];
  if (templates === undefined) return partition === by ? tag : undefined;
  const [template, ...others] = [templates].flat();
  if (template === undefined || others.length > 0 || !template.includes(`{${by}}`)) return undefined;
  const value = template.replace(`{${by}}`, tag);
  return value.replace(tag, "").includes("{") ? undefined : value;
}

/** Statements that differ in their resources alone are one, the others get names of their own. */
function merged(statements: readonly Statement[]): Statement[] {
  const all = new Map<string, Statement>();
  for (const statement of statements) {
    const { Resource, ...rest } = statement;
    const id = JSON.stringify(rest);
    const known = all.get(id)?.Resource ?? [];
    all.set(id, { ...statement, Resource: [...new Set([...known, ...Resource])] });
  }
  const counts = new Map<string, number>();
  return [...all.values()].map((statement) => {
    const number = (counts.get(statement.Sid) ?? 0) + 1;
    counts.set(statement.Sid, number);
    return number === 1 ? statement : { ...statement, Sid: `${statement.Sid}${number}` };
  });
}

/** The folders in which the kinds of things of a bucket lie; `*` where a key begins with a field. */
export function folders({ model, declaration }: AccessSite): string[] {
  return declaration.buckets.flatMap(({ role, name }) =>
    Object.values(model.entities)
      .filter(({ from }) => storeText(from) === `bucket ${role}`)
      .flatMap((entity) => objectTemplates(entity, role))
      .map(({ text }) => `${bucketArn(name)}/${text.replaceAll(/\{\w+\+?\}/g, "*")}`),
  );
}
