import type { World } from "../../world.ts";

/** Variables in which CI services name what is running and who started it; the first that is set counts. */
const workflows = [
  ["GITHUB_WORKFLOW", "GITHUB_ACTOR"],
  ["CI_JOB_NAME", "GITLAB_USER_LOGIN"],
  ["CIRCLE_JOB", "CIRCLE_USERNAME"],
  ["BUILDKITE_PIPELINE_SLUG", "BUILDKITE_BUILD_CREATOR"],
  ["BUILD_DEFINITIONNAME", "BUILD_REQUESTEDFOR"],
  ["JOB_NAME", "BUILD_USER_ID"],
] as const;

/**
 * Who is at work where no AWS can be asked, never nobody:
 *
 * | the environment names | actor                                |
 * |-----------------------|--------------------------------------|
 * | a workflow of a CI    | `ci:` workflow, and who started it   |
 * | a user                | `local:` user                        |
 * | neither               | `local:` account of the process      |
 */
export function localActor({ env, account }: Pick<World, "env" | "account">): string {
  for (const [workflow, starter] of workflows) {
    const name = env[workflow];
    if (name === undefined || name === "") continue;
    const by = env[starter];
    return by === undefined || by === "" ? `ci:${name}` : `ci:${name} by ${by}`;
  }
  return `local:${env["USER"] || env["USERNAME"] || account()}`;
}
