import type { Finding } from "../doctor/finding.ts";
import { trustFindings } from "./check-trust.ts";
import type { JudgedPolicy } from "./evaluate.ts";
import type { IamDetails } from "./iam-details.ts";
import type { AccessSite } from "./place.ts";
import { conditionsOf, excess, needs, told, unlikeConditions } from "./rights.ts";
import { policiesFor, type Role } from "./roles.ts";

interface AskedRole {
  readonly role: Role;
  /** In IAM. */
  readonly name: string;
}

const allPolicies =
  "aws iam get-account-authorization-details without --filter has every policy that a role has";

/**
 * Judges the policies of a role in IAM against what the model says that it needs. Pure.
 *
 * | found                                                       | finding |
 * |-------------------------------------------------------------|---------|
 * | there is no such role; it lacks what it needs               | problem |
 * | it may do all of a service, or what it must not             | problem |
 * | it may more than it needs                                   | warning |
 * | anybody, or any repository, may take it                     | problem |
 * | its policy or boundary is not in the file                   | skipped |
 * | a condition is not known, or another than the needed one    | skipped |
 *
 * What a boundary does not let it do it may not, whatever its policies say.
 */
export function roleFindings({ role, name }: AskedRole, details: IamDetails, site: AccessSite): Finding[] {
  const about = { check: role, subject: name };
  const found = details.RoleDetailList.find(({ RoleName }) => RoleName === name);
  if (found === undefined)
    return [
      {
        ...about,
        status: "problem",
        message: "there is no such role",
        remedy: `mawps access policy ${role}`,
      },
    ];
  const account = found.Arn.split(":")[4] ?? "*";
  const wanted = policiesFor(role, { ...site, account }).policies;
  const named = (arn: string) => ({
    arn,
    document: details.Policies.find(({ Arn }) => Arn === arn)?.PolicyVersionList.find(
      ({ IsDefaultVersion }) => IsDefaultVersion,
    )?.Document,
  });
  const attached = found.AttachedManagedPolicies.map(({ PolicyArn }) => named(PolicyArn));
  const bounds = [found.PermissionsBoundary?.PermissionsBoundaryArn ?? []].flat().map(named);
  const unseen = attached.filter((policy) => policy.document === undefined);
  const live = [
    ...found.RolePolicyList.map(({ PolicyDocument }) => PolicyDocument),
    ...attached.flatMap((policy) => policy.document ?? []),
  ] as JudgedPolicy[];
  const boundary = bounds.flatMap(({ document: bound }) => bound ?? []) as JudgedPolicy[];
  const remedy = `mawps access policy ${role} prints what it needs`;
  const findings: Finding[] = [
    ...unseen.map(({ arn }) => ({
      ...about,
      status: "skipped" as const,
      message: `${arn} is not in the file`,
      remedy: allPolicies,
    })),
    ...bounds
      .filter(({ document: bound }) => bound === undefined)
      .map(({ arn }) => ({
        ...about,
        status: "skipped" as const,
        message: `its boundary, ${arn}, is not in the file: it may do less than its policies say`,
        remedy: allPolicies,
      })),
    ...trustFindings(about, found.AssumeRolePolicyDocument),
  ];
  try {
    const rights = { live, boundary };
    const { lacking, elsewhere } = needs(wanted, rights);
    const unlike = unlikeConditions(wanted, rights);
    // What a policy gives that was not seen is nothing to complain of.
    if (unseen.length === 0)
      findings.push(
        ...told(lacking).map((message) => ({
          ...about,
          status: "problem" as const,
          message: `lacks ${message}`,
          remedy,
        })),
      );
    findings.push(
      ...told(elsewhere).map((message) => ({
        ...about,
        status: "skipped" as const,
        message: `under another condition than the needed one: ${message}`,
      })),
    );
    if (unlike > 0)
      findings.push({
        ...about,
        status: "skipped",
        message: `${unlike} ${unlike === 1 ? "statement" : "statements"} with other conditions than the needed ones: not compared`,
      });
    const more = conditionsOf(wanted).flatMap((condition) => excess(rights, wanted, condition));
    for (const [message, isBad] of new Map(more.map((each) => [each.message, each.isBad])))
      findings.push({ ...about, status: isBad ? "problem" : "warning", message, remedy });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    findings.push({ ...about, status: "skipped", message: error.message });
  }
  return findings.length > 0
    ? findings
    : [{ ...about, status: "ok", message: "may what it needs, and nothing else" }];
}
