import type { RolePolicies } from "./roles.ts";
import type { TrustPolicy } from "./trust.ts";

/** How the role of a site is called in AWS, unless somebody calls it otherwise. */
export function roleName(role: string, site: string): string {
  const plain = site
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  return `${plain}-${role}`;
}

/** The policies of a role, and the role itself where it is known who may take it, as Terraform writes them. */
export function terraformOf({ role, policies }: RolePolicies, site: string, trust?: TrustPolicy): string {
  const name = roleName(role, site);
  const label = name.replaceAll("-", "_");
  const numbered = policies.map((policy, at) => ({ policy, end: policies.length === 1 ? "" : `-${at + 1}` }));
  const blocks = numbered.map(({ policy, end }) =>
    block("aws_iam_policy", `${label}${end.replace("-", "_")}`, {
      name: `${name}${end}`,
      document: ["policy", policy],
    }),
  );
  if (trust === undefined) return blocks.join("\n");
  const attachments = numbered.map(({ end }) => {
    const policy = `${label}${end.replace("-", "_")}`;
    return [
      `resource "aws_iam_role_policy_attachment" "${policy}" {`,
      `  role       = aws_iam_role.${label}.name`,
      `  policy_arn = aws_iam_policy.${policy}.arn`,
      "}\n",
    ].join("\n");
  });
  const taken = block("aws_iam_role", label, { name, document: ["assume_role_policy", trust] });
  return [taken, ...blocks, ...attachments].join("\n");
}

function block(
  type: string,
  label: string,
  {
    name,
    document: [attribute, value],
  }: { readonly name: string; readonly document: readonly [string, object] },
): string {
  // What IAM fills in is not Terraform's to fill in.
  const json = JSON.stringify(value, undefined, 2)
    .replaceAll("${", () => "$${")
    .replaceAll("%{", "%%{");
  const lines = json.split("\n").map((line) => `    ${line}`);
  return [
    `resource "${type}" "${label}" {`,
    `  name = "${name}"`,
    `  ${attribute} = <<-JSON`,
    ...lines,
    "  JSON",
    "}\n",
  ].join("\n");
}
