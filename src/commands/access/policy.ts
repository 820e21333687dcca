import { Argument, Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { Request } from "../../access/evaluate.ts";
import { roles, type Role, type RolePolicies } from "../../access/roles.ts";
import type { TrustPolicy } from "../../access/trust.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Run } from "../run.ts";

/** `mawps access policy`: what a role needs, as IAM takes it. Asks nothing of AWS. */
export function accessPolicy(begin: Begin): AnyCommand {
  return new Command("policy")
    .description("the policies of a role, by the site's model: what it needs and nothing else")
    .addArgument(new Argument("<role>", "whose").choices(roles))
    .option("--terraform", "as Terraform writes it")
    .addOption(
      new Option("--sql", "what it is granted in the site's databases instead").conflicts([
        "terraform",
        "github",
        "try",
      ]),
    )
    .option("--account <number>", "of the AWS account; by default any, which is the role's own", account)
    .option("--repo <place>", "s3://bucket/prefix of the backups; by default that of the settings")
    .option("--github <owner/name>", "also who may take it: jobs of this repository's branch", repository)
    .option("--branch <name>", "of that repository", branch, "main")
    .option("--environment <name>", "also its jobs that run in this environment", environment)
    .option(
      "--try <action resource>",
      'only tell whether it lets one do that, such as "s3:GetObject arn:aws:s3:::files/a"',
      asked,
    )
    .option("--context <key=value>", "of what is tried, such as aws:PrincipalTag/userId=user-1", context)
    .addHelpText(
      "after",
      '\nExamples:\n  mawps access policy ci-backup --account 123456789012 --github owner/site\n  mawps access policy user --try "dynamodb:Scan arn:aws:dynamodb:eu-central-1:*:table/users"',
    )
    .action(async (role, options, command) => {
      const run = await begin(command as AnyCommand);
      const [{ accessSite }, { policiesFor }, { gitHubTrust }] = await Promise.all([
        import("../../access/place.ts"),
        import("../../access/roles.ts"),
        import("../../access/trust.ts"),
      ]);
      if (options.sql === true) return writeGrants(run, role);
      const site = accessSite(await run.unconnected("reads"), options);
      const found = policiesFor(role, site);
      if (options.try !== undefined)
        return tellWhether(run, found, { ...options.try, context: options.context ?? {} });
      const { github, terraform } = options;
      const alone = (["branch", "environment"] as const).find(
        (name) => github === undefined && command.getOptionValueSource(name) === "cli",
      );
      if (alone !== undefined)
        throw new CliError(`--${alone} needs --github: it is of that repository`, {
          exitCode: exitCodes.usage,
        });
      if (github !== undefined && options.account === undefined)
        throw new CliError("--github needs --account: whose role it is stands in who may take it", {
          exitCode: exitCodes.usage,
        });
      const trust =
        github === undefined
          ? undefined
          : gitHubTrust({
              repository: github,
              branch: options.branch,
              environment: options.environment,
              account: site.account,
            });
      if (terraform === true) await writeTerraform(run, found, trust);
      else await run.printCode({ ...found, trust }, (result) => policyText(result));
      tellWhatIsLeftOut(run, found, role.startsWith("ci-") && site.repository === undefined);
    });
}

function account(text: string): string {
  if (!/^\d{12}$/.test(text)) throw new InvalidArgumentError("expected the 12 digits of an account.");
  return text;
}

function repository(text: string): string {
  if (!/^[\w-]+\/[\w.-]+$/.test(text)) throw new InvalidArgumentError("expected owner/name of a repository.");
  return text;
}

/** A star or a question mark would let in other branches, were the condition ever written with StringLike. */
function branch(text: string): string {
  if (!/^[\w./-]+$/.test(text)) throw new InvalidArgumentError("expected the name of a branch.");
  return text;
}

function environment(text: string): string {
  if (!/^[\w.-]+$/.test(text)) throw new InvalidArgumentError("expected the name of an environment.");
  return text;
}

function asked(text: string): Pick<Request, "action" | "resource"> {
  const [, action, resource] =
    /^([a-z0-9-]+:[A-Za-z]+) (\*|arn:aws[a-z-]*:[a-z0-9-]+:[\w-]*:[\w*]*:\S+)$/.exec(text) ?? [];
  if (action === undefined || resource === undefined)
    throw new InvalidArgumentError(
      'expected an action and the ARN of a resource, or *: "s3:GetObject arn:aws:s3:::files/a".',
    );
  return { action, resource };
}

function context(
  text: string,
  before: Readonly<Record<string, readonly string[]>> | undefined,
): Readonly<Record<string, readonly string[]>> {
  const [, key, value] = /^([^=\s]+)=(.*)$/.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError("expected key=value.");
  return { ...before, [key]: [...(before?.[key] ?? []), value] };
}

async function tellWhether(run: Run, { role, policies }: RolePolicies, request: Request): Promise<void> {
  const { judge } = await import("../../access/evaluate.ts");
  const verdict = judge(policies, request);
  await run.print(
    { role, ...request, verdict },
    () => `${role}: ${request.action} on ${request.resource}: ${verdict}`,
  );
  if (verdict !== "allowed") throw new CliError(`${role} may not`, { exitCode: exitCodes.findings });
}

async function writeTerraform(run: Run, found: RolePolicies, trust: TrustPolicy | undefined): Promise<void> {
  const { terraformOf } = await import("../../access/terraform.ts");
  await run.write(terraformOf(found, run.config.site.name, trust));
}

async function writeGrants(run: Run, role: Role): Promise<void> {
  const { databasesOf, grantsFor, ownRowsIn } = await import("../../access/grants.ts");
  const { site } = run.config;
  const databases = databasesOf(site).map((database) => ({
    ...database,
    statements: grantsFor(role, site, database),
  }));
  if (databases.length === 0)
    throw new CliError(`${site.name} has no databases`, { exitCode: exitCodes.usage });
  await run.printCode({ role, databases }, (result) =>
    result.databases
      .map(({ name, engine, statements }) =>
        [`-- ${engine}, database ${visible(name)}`, ...statements].join("\n"),
      )
      .join("\n\n"),
  );
  if (role !== "user") return;
  run.note("each person has an account of their own in the database, named by their id, with this role");
  if (databases.some(({ engine }) => engine === "postgres"))
    run.note(
      "accounts of mawps's own roles then need BYPASSRLS (ALTER ROLE nightly BYPASSRLS): mawps is refused rather than shown a part of the rows",
    );
  for (const { entity, why, instead } of databases.flatMap((each) => ownRowsIn(site, each).notExpressible))
    run.note(`not expressible: ${entity}: ${why}; instead, ${instead}`);
}

function policyText({ policies, trust }: { policies: readonly object[]; trust: object | undefined }): string {
  return [...(trust === undefined ? [] : [trust]), ...policies]
    .map((each) => JSON.stringify(each, undefined, 2))
    .join("\n\n");
}

function tellWhatIsLeftOut(
  run: Run,
  { policies, notExpressible }: RolePolicies,
  isWithoutRepository: boolean,
): void {
  if (policies.length > 1)
    run.note(`${policies.length} policies: one may have 6,144 characters, a role has all of them`);
  if (isWithoutRepository) run.note("without the backups: --repo s3://bucket/prefix names their place");
  for (const { entity, why, instead } of notExpressible)
    run.note(`not expressible: ${entity}: ${why}; instead, ${instead}`);
  for (const [role, { name }] of Object.entries(run.config.site.databases ?? {}))
    run.note(`not expressible: database ${role} (${name}) has rights of its own: --sql`);
}
