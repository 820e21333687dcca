import { tableRole } from "./database.ts";
import { erasureOrder } from "./graph.ts";
import { own } from "./json.ts";
import { parentsBy, type PersonalLink } from "./links.ts";
import type { Model } from "./schema.ts";

/** People of one kind whose accounts are an entity of the model. */
export interface AccountSubject {
  readonly subject: string;
  /** The entity with their accounts. */
  readonly entity: string;
  /** Fields that name them there, the id first. */
  readonly ids: readonly string[];
}

/** Those of a model. Pure. */
export function accountSubjects({ subjects }: Pick<Model, "subjects">): AccountSubject[] {
  return Object.entries(subjects).flatMap(([subject, { accounts, ids }]) =>
    typeof accounts === "object" ? [{ subject, entity: accounts.entity, ids }] : [],
  );
}

/** Of which of the model's people somebody is by what is theirs: an account among things of these entities; undefined where there is none. Pure. */
export function accountKindAmong(
  model: Pick<Model, "subjects">,
  things: readonly { readonly entity: string }[],
  subject?: string,
): string | undefined {
  const entities = new Set(things.map(({ entity }) => entity));
  return accountSubjects(model).find(
    (each) => entities.has(each.entity) && (subject ?? each.subject) === each.subject,
  )?.subject;
}

/** Those whose accounts are rows of a database. Pure. */
export function rowSubjects(model: Pick<Model, "subjects" | "entities">): AccountSubject[] {
  return accountSubjects(model).filter(({ entity }) => {
    const from = own(model.entities, entity)?.from;
    return from !== undefined && "database" in from;
  });
}

/** What `customer:42` says, by the kinds of people that there are: of which kind somebody is, and by what they are known. Pure. */
export function afterKind(
  given: string,
  kinds: readonly string[],
): { readonly kind: string; readonly name: string } | undefined {
  const kind = kinds.find((each) => given.startsWith(`${each}:`));
  return kind === undefined ? undefined : { kind, name: given.slice(kind.length + 1) };
}

type AccountField = keyof NonNullable<NonNullable<Model["features"]>["accounts"]>["fields"];

/** The fields that tell of accounts what is shown of each: as the model has it, else the first ids, and a field called name. Pure. */
export function accountColumns(
  { features, entities }: Pick<Model, "features" | "entities">,
  { entity, ids: [id, email] }: AccountSubject,
): Partial<Record<AccountField, string>> {
  const { fields = {} } = own(entities, entity) ?? {};
  const { accounts } = features ?? {};
  return {
    ...(id === undefined ? {} : { id }),
    ...(email === undefined ? {} : { email }),
    ...(Object.hasOwn(fields, "name") ? { name: "name" } : {}),
    ...(accounts?.entity === entity ? accounts.fields : {}),
  };
}

/** How rows of an entity are somebody's: by what stands in a column. */
export interface RowLink extends PersonalLink {
  readonly subject: string;
  readonly column: string;
  /** As `tableRole` has it. */
  readonly table: string;
  /** Where that is what a row of another entity is known by, which is theirs. */
  readonly parent: { readonly entity: string; readonly field: string } | undefined;
}

/** The links of rows to people of a kind, or of every kind, those of parents before those that go by them. Pure. */
export function rowLinks(model: Model, subject?: string): RowLink[] {
  const isMeant = (of: string) =>
    subject === undefined ? own(model.subjects, of)?.accounts !== undefined : of === subject;
  const known = erasureOrder(model);
  const order = "order" in known ? known.order.toReversed() : [];
  return order.flatMap((name) => {
    const entity = own(model.entities, name);
    if (entity === undefined || !("database" in entity.from)) return [];
    const { what } = entity;
    const table = tableRole(entity.from) ?? "";
    return (entity.links ?? []).flatMap(({ subject: of, role, erase, by }): RowLink[] => {
      if (!isMeant(of)) return [];
      const link = { subject: of, entity: name, what, table, role, erase };
      if (typeof by === "string") return [{ ...link, column: by, parent: undefined }];
      return parentsBy(name, entity, by.via).map((parent) => ({ ...link, column: by.via, parent }));
    });
  });
}

/** Whether an id stands for people who were erased, and is nobody's. Pure. */
export function isStandIn({ entities }: Pick<Model, "entities">, id: string): boolean {
  return Object.values(entities).some(({ links = [] }) =>
    links.some(({ erase }) => typeof erase === "object" && "set" in erase && erase.set === id),
  );
}

/** Whether an id is what an erasure puts in the place of one (`pseudonymOf`). Pure. */
export function isPseudonym(id: string): boolean {
  return /^erased-[0-9a-f]{16}$/.test(id);
}
