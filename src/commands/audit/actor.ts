import type { World } from "../../world.ts";

/** Variables in which CI services name what is running, for which repository, and who started it; the first that is set counts. */
const workflows = [
  ["GITHUB_WORKFLOW", "GITHUB_REPOSITORY", "GITHUB_ACTOR"],
  ["CI_JOB_NAME", "CI_PROJECT_PATH", "GITLAB_USER_LOGIN"],
  ["CIRCLE_JOB", "CIRCLE_PROJECT_REPONAME", "CIRCLE_USERNAME"],
  ["BUILDKITE_PIPELINE_SLUG", "BUILDKITE_REPO", "BUILDKITE_BUILD_CREATOR"],
  ["BUILD_DEFINITIONNAME", "BUILD_REPOSITORY_NAME", "BUILD_REQUESTEDFOR"],
  ["JOB_NAME", "GIT_URL", "BUILD_USER_ID"],
] as const;

/**
 * Who is at work where no AWS can be asked, never nobody:
 *
 * | the environment names | actor                                                                          |
 * |-----------------------|--------------------------------------------------------------------------------|
 * | a workflow of a CI    | `ci:` workflow, and of which repository and who started it, where that is told |
 * | a user                | `local:` user                                                                  |
 * | neither               | `local:` account of the process                                                |
 */
export function localActor({ env, account }: Pick<World, "env" | "account">): string {
  for (const [workflow, repository, starter] of workflows) {
    const name = env[workflow];
    if (name === undefined || name === "") continue;
    const [of, by] = [env[repository] ?? "", env[starter] ?? ""];
    return `ci:${name}${of === "" ? "" : ` of ${withoutUser(of)}`}${by === "" ? "" : ` by ${by}`}`;
  }
  return `local:${env["USER"] || env["USERNAME"] || account()}`;
}

/** A repository's address may hold a token. */
function withoutUser(repository: string): string {
  return repository.replace(/^(\w+:\/\/)[^/]*@/, "$1");
}
