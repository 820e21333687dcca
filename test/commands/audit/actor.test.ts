import { expect, it } from "vitest";
import { localActor } from "../../../src/commands/audit/actor.ts";

it.each([
  { what: "the user", env: { USER: "manuel" }, actor: "local:manuel" },
  { what: "the user of Windows", env: { USERNAME: "Manuel" }, actor: "local:Manuel" },
  { what: "the account of the process", env: {}, actor: "local:www-data" },
  { what: "the account where the user is empty", env: { USER: "" }, actor: "local:www-data" },
  {
    what: "the workflow before the user it runs as",
    env: { USER: "runner", GITHUB_WORKFLOW: "nightly backup", GITHUB_ACTOR: "manuel" },
    actor: "ci:nightly backup by manuel",
  },
  {
    what: "the repository of a workflow",
    env: { GITHUB_WORKFLOW: "nightly", GITHUB_REPOSITORY: "manuel/site" },
    actor: "ci:nightly of manuel/site",
  },
  {
    what: "a repository by its address, without a token in it",
    env: { JOB_NAME: "nightly", GIT_URL: "https://user:secret@git.example/site", BUILD_USER_ID: "manuel" },
    actor: "ci:nightly of https://git.example/site by manuel",
  },
  { what: "a job of GitLab", env: { CI_JOB_NAME: "retention" }, actor: "ci:retention" },
])("names $what", ({ env, actor }) => {
  expect(localActor({ env, account: () => "www-data" })).toBe(actor);
});
