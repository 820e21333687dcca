import type { JsonObject } from "../../model/json.ts";
import type { PeopleRows } from "../../stores/person-rows.ts";
import type { PersonRows } from "../../stores/person-tables.ts";
import { givenOut, type LeavingOut, type Rules } from "./values.ts";

/** Rows of a database as they are given out; of what only names the person no more than that. What is left out is noted. */
export async function* rowValues(
  people: PeopleRows,
  kind: PersonRows,
  { rules, out }: { readonly rules: Rules; readonly out: LeavingOut },
): AsyncGenerator<JsonObject> {
  const { entity, secret } = kind;
  for await (const page of people.valuesOf(kind)) {
    for (const { row, value } of page) {
      for (const column of secret) out.add(entity, column, "secret");
      if (row.isAbout) {
        yield givenOut({ entity, isKnown: true }, value, { rules, out });
        continue;
      }
      const named = new Set([...Object.keys(row.key), ...Object.keys(row.named)]);
      for (const name of Object.keys(value)) if (!named.has(name)) out.add(entity, name, "others");
      yield Object.fromEntries(Object.entries(value).filter(([name]) => named.has(name)));
    }
  }
}
