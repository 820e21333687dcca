import type { Entity, Model } from "./schema.ts";
import { classifier, parseTemplate, type Classifier, type Template } from "./template.ts";

/** Prepares the kinds of objects of one bucket, by its role: of which entity a key is. */
export function objectsOf(model: Pick<Model, "entities">, bucket: string): Classifier<string> {
  return classifier(
    Object.entries(model.entities).flatMap(([name, entity]) =>
      objectTemplates(entity, bucket).map((template) => ({ template, value: name })),
    ),
  );
}

/** The templates of an entity's keys in a bucket; none where it is somewhere else. */
export function objectTemplates({ from, key }: Entity, bucket: string): Template[] {
  const isThere = "bucket" in from && from.bucket === bucket;
  if (!isThere || !(typeof key === "string" || Array.isArray(key))) return [];
  return [key].flat().map((text) => parseTemplate(text, "object"));
}

/** Of an entity, the field of its keys that says whose an object is; undefined where it is nobody's. */
export function ownerField({ links = [] }: Entity): string | undefined {
  return links.flatMap(({ role, by }) => (role === "subject" && typeof by === "string" ? [by] : []))[0];
}
