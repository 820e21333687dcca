import type { Finding } from "../doctor/finding.ts";
import type { IamDetails } from "./iam-details.ts";

/** Who else than the site's own jobs may take a role, as its trust policy says. Pure. */
export function trustFindings(
  about: Pick<Finding, "check" | "subject">,
  { Statement }: IamDetails["RoleDetailList"][number]["AssumeRolePolicyDocument"],
): Finding[] {
  const remedy = "mawps access policy --github prints who is to take it";
  return [Statement].flat().flatMap(({ Effect, Principal, Condition = {} }): Finding[] => {
    if (Effect !== "Allow") return [];
    const principals = typeof Principal === "string" ? [Principal] : Object.values(Principal ?? {}).flat();
    const keys = Object.entries(Condition).flatMap(([, each]) => Object.entries(each));
    if (principals.includes("*") && keys.length === 0)
      return [{ ...about, status: "problem", message: "anybody may take it", remedy }];
    if (!principals.some((each) => each.includes("oidc-provider/token.actions.githubusercontent.com")))
      return [];
    const subjects = keys
      .filter(([key]) => key.toLowerCase().endsWith(":sub"))
      .flatMap(([, values]) => values);
    const isOpen =
      subjects.length === 0 || subjects.some((subject) => /^repo:[^:]*[*?]|^[^:]*[*?]/.test(subject));
    return isOpen
      ? [{ ...about, status: "problem", message: "jobs of other repositories on GitHub may take it", remedy }]
      : [];
  });
}
