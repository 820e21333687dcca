import { explain } from "../aws/explain/explain.ts";
import type { Unconnected } from "../context.ts";
import type { Finding } from "../doctor/finding.ts";
import { inventoried } from "../setup/inventory.ts";
import { bucketsFindings } from "./check-bucket.ts";
import { roleFindings } from "./check-role.ts";
import { iamDetailsIn, readIamDetails } from "./iam-details.ts";
import { accessSite } from "./place.ts";
import type { Role } from "./roles.ts";
import { roleName } from "./terraform.ts";

/** A role of the site, and its name in IAM; without one that of `access policy --terraform`. */
export interface AskedRole {
  readonly role: Role;
  readonly name: string | undefined;
}

interface Asked {
  readonly roles: readonly AskedRole[];
  /** A file with what IAM says, in place of asking it. */
  readonly iam: string | undefined;
  /** Of the backups, in place of that of the settings. */
  readonly repo: string | undefined;
}

/** Who is let in, as it stands, against what the model needs. What is said of roles comes before the target is asked. */
export async function checkAccess(
  context: Unconnected,
  { roles, iam, repo }: Asked,
): Promise<{ readonly ofBuckets: readonly Finding[]; readonly ofRoles: readonly Finding[] }> {
  const ofRoles = roles.length === 0 ? [] : await rolesFindings(context, { roles, iam, repo });
  const ofBuckets = await bucketsFindings(inventoried(context), {
    aws: await context.connect(),
    explain: (error) => explain(error, context.explaining),
    signal: context.signal,
  });
  return { ofBuckets, ofRoles };
}

async function rolesFindings(context: Unconnected, { roles, iam, repo }: Asked): Promise<Finding[]> {
  const details =
    iam === undefined
      ? await readIamDetails(await context.connect(), context.signal)
      : await iamDetailsIn(iam);
  const site = accessSite(context, { repo });
  return roles.flatMap(({ role, name = roleName(role, context.model.name) }) =>
    roleFindings({ role, name }, details, site),
  );
}
