import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { AskedRole } from "../../access/check.ts";
import { roles } from "../../access/roles.ts";
import type { Finding } from "../../doctor/finding.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { count } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import { findingsText } from "../doctor.ts";

/** `mawps access check`: who is let in, as it stands, against the model; exit 4 when that is too many or too few. */
export function accessCheck(begin: Begin): AnyCommand {
  return new Command("check")
    .description("who the buckets let in, and what roles of IAM may, against what the model needs")
    .option(
      "--role <role=name>",
      "also this role, under its name in IAM; by default that of `access policy --terraform`",
      asked,
    )
    .option(
      "--iam <file>",
      "for --role what `aws iam get-account-authorization-details` printed, in place of asking IAM",
    )
    .option("--repo <place>", "s3://bucket/prefix of the backups; by default that of the settings")
    .addHelpText(
      "after",
      "\nExamples:\n  mawps access check\n  mawps access check --target aws --role ci-backup=nightly",
    )
    .action(async ({ role, iam, repo }, command) => {
      const run = await begin(command as AnyCommand);
      if (role === undefined && iam !== undefined)
        throw new CliError("--iam is for --role: of which role is it to tell?", {
          exitCode: exitCodes.usage,
        });
      if (role !== undefined && iam === undefined && run.config.target === "local")
        throw new CliError("the local store has no IAM to ask of a role", {
          exitCode: exitCodes.usage,
          hint: "--target aws, or aws iam get-account-authorization-details > iam.json; then --iam iam.json",
        });
      if (repo !== undefined && role === undefined)
        throw new CliError("--repo is for --role: what backups need is asked of roles alone", {
          exitCode: exitCodes.usage,
        });
      const { checkAccess } = await import("../../access/check.ts");
      const { ofBuckets, ofRoles } = await checkAccess(await run.unconnected("reads"), {
        roles: role ?? [],
        iam: iam === undefined ? undefined : resolve(run.world.cwd, iam),
        repo,
      });
      const findings = [...ofBuckets, ...ofRoles];
      await run.printRows(findings, findingsText);
      const problems = findings.filter(({ status }) => status === "problem").length;
      run.measure({ Problems: problems });
      if (problems > 0)
        throw new CliError(`${count(problems, "problem")} found`, { exitCode: exitCodes.findings });
      assertJudged(ofRoles);
    });
}

/** @throws CliError (partial) where of a role not all could be judged: that is no pass. */
function assertJudged(ofRoles: readonly Finding[]): void {
  const skipped = ofRoles.filter(({ status }) => status === "skipped");
  if (skipped.length === 0) return;
  throw new CliError("not all of the roles could be judged:", {
    exitCode: exitCodes.partial,
    details: skipped.map(({ subject, message }) => `${subject}: ${message}`),
  });
}

function asked(text: string, before: readonly AskedRole[] = []): readonly AskedRole[] {
  const [, word, name] = /^([\w-]+)(?:=([\w+=,.@-]+))?$/.exec(text) ?? [];
  const role = roles.find((each) => each === word);
  if (role === undefined) throw new InvalidArgumentError(`expected one of ${roles.join(", ")}, and =name.`);
  return [...before, { role, name }];
}
