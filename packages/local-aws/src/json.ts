/** Deeper than any request of a service goes: DynamoDB's 32 levels take three each. */
const maxLevels = 200;

/**
 * The JSON of a request. Everything behind it may go down into it, level by level.
 * @throws SyntaxError also for what is nested too deep.
 */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxLevels) throw new SyntaxError(`nested deeper than ${maxLevels} levels`);
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []));
  }
  return value;
}
