/** A statement of a policy that is attached to a role. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Conditions;
}

/** Operator -> condition key -> values, of which one must fit. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

export interface Policy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly Statement[];
}

/** The most characters of a managed policy, of which blanks are none: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const mostCharacters = 6144;

/** Its length as IAM counts it. */
export function sizeOf(policy: Policy): number {
  return JSON.stringify(policy).replaceAll(/\s/g, "").length;
}

/**
 * Statements as policies that IAM takes, as few as come of it in this order. A statement that is too long for one is given in
 * parts, each with some of its resources, or else of its actions: what is allowed or denied stays the same.
 * @throws RangeError for a statement of one action and one resource that is too long.
 */
export function policiesOf(statements: readonly Statement[]): Policy[] {
  const policies: Policy[] = [];
  let last: readonly Statement[] = [];
  for (const statement of statements.flatMap(fitting)) {
    const longer = policyOf([...last, statement]);
    if (last.length > 0 && sizeOf(longer) > mostCharacters) {
      policies.push(policyOf(last));
      last = [statement];
    } else {
      last = longer.Statement;
    }
  }
  return last.length === 0 ? policies : [...policies, policyOf(last)];
}

function policyOf(statements: readonly Statement[]): Policy {
  return { Version: "2012-10-17", Statement: statements };
}

function fitting(statement: Statement): Statement[] {
  if (sizeOf(policyOf([statement])) <= mostCharacters) return [statement];
  const { Sid, Action, Resource } = statement;
  const part = Resource.length > 1 ? "Resource" : "Action";
  const all = part === "Resource" ? Resource : Action;
  if (all.length === 1) throw new RangeError(`statement ${Sid} is longer than a policy may be`);
  const middle = Math.ceil(all.length / 2);
  return [all.slice(0, middle), all.slice(middle)].flatMap((half, at) =>
    fitting({ ...statement, Sid: `${Sid}${at === 0 ? "A" : "B"}`, [part]: half }),
  );
}
