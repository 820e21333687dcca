import { invalid } from "./fault.ts";
import { matches, parseFilter } from "./filter.ts";
import { type Input, limitOf, optionalText, poolIdOf, rules, texts } from "./input.ts";
import { type Context, existingPool, keys, page, type User } from "./records.ts";
import { attributeOf } from "./schema.ts";
import { placeOf, tokenOf } from "./tokens.ts";
import { described, findUser } from "./users.ts";

/** In the order of the user names. */
export async function listUsers(context: Context, input: Input): Promise<object> {
  const pool = await existingPool(context, poolIdOf(input));
  const limit = limitOf(input);
  const text = optionalText(input, "Filter", { most: 256 }) ?? "";
  const filter = parseFilter(text);
  const wanted =
    input["AttributesToGet"] === undefined
      ? undefined
      : texts(input, "AttributesToGet", { least: 1, most: 32 });
  for (const name of wanted ?? [])
    if (attributeOf(pool, name) === undefined)
      throw invalid("One or more requested attributes do not exist.");
  const about = `users ${pool.id} ${text}`;
  const token = placeOf(optionalText(input, "PaginationToken", rules.token), about);
  if (filter?.attribute === "sub" && !filter.isPrefix) {
    const user = await findUser(context, pool, filter.value);
    return { Users: user !== undefined && matches(user, filter) ? [described(user, wanted)] : [] };
  }
  const { items, next } = await page(context, keys.users(pool.id), {
    limit,
    token,
    take: (_key, user: User) =>
      filter === undefined || matches(user, filter) ? described(user, wanted) : undefined,
  });
  return { Users: items, PaginationToken: tokenOf(next, about) };
}
