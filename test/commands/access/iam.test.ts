import type { LocalRequest, LocalResponse, LocalService } from "@mawps/local-aws/src/service.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startFaultySite } from "../../support/faulty-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const managed = "arn:aws:iam::123456789012:policy/nightly";
const trust = {
  Statement: { Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" },
};

/** IAM with one role, whose policy comes on the second page; it notes what it is asked. */
function startIam(
  policies: readonly object[],
): LocalService & { readonly asked: URLSearchParams[]; isDenied: boolean } {
  const encoded = (document: object | undefined) => encodeURIComponent(JSON.stringify(document));
  const [own, attached] = policies;
  const inline = `<member><PolicyName>own</PolicyName><PolicyDocument>${encoded(own)}</PolicyDocument></member>`;
  const version = `<member><VersionId>v1</VersionId><IsDefaultVersion>true</IsDefaultVersion><Document>${encoded(attached)}</Document></member>`;
  const pages = [
    `<IsTruncated>true</IsTruncated><Marker>on</Marker><RoleDetailList><member><RoleName>nightly</RoleName><Arn>arn:aws:iam::123456789012:role/nightly</Arn>
      <AssumeRolePolicyDocument>${encoded(trust)}</AssumeRolePolicyDocument><RolePolicyList>${inline}</RolePolicyList>
      <AttachedManagedPolicies><member><PolicyName>nightly</PolicyName><PolicyArn>${managed}</PolicyArn></member></AttachedManagedPolicies></member></RoleDetailList>`,
    `<IsTruncated>false</IsTruncated><Policies><member><PolicyName>nightly</PolicyName><Arn>${managed}</Arn><PolicyVersionList>${version}</PolicyVersionList></member></Policies>`,
  ];
  const iam = {
    asked: [] as URLSearchParams[],
    isDenied: false,
    async handle(request: LocalRequest): Promise<LocalResponse> {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request.body) chunks.push(chunk);
      const asked = new URLSearchParams(Buffer.concat(chunks).toString());
      iam.asked.push(asked);
      if (iam.isDenied)
        return answer(
          403,
          "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
        );
      const name = "GetAccountAuthorizationDetails";
      const page = pages[asked.get("Marker") === "on" ? 1 : 0];
      return answer(200, `<${name}Response><${name}Result>${page}</${name}Result></${name}Response>`);
    },
    close: async () => undefined,
  };
  return iam;
}

function answer(status: number, text: string): LocalResponse {
  const body = Buffer.from(text);
  return { status, headers: { "content-type": "text/xml", "content-length": String(body.length) }, body };
}

it("asks IAM what a role may, page by page, and tells who may not ask what is missing", async () => {
  await home.run(["setup", "--yes"]);
  const policy = ["access", "policy", "ci-retention", "--account", "123456789012", "--json"];
  const { policies } = JSON.parse((await home.run(policy)).stdout) as { policies: { Statement: object[] }[] };
  const statements = policies.flatMap(({ Statement }) => Statement);
  const half = Math.ceil(statements.length / 2);
  const parts = [statements.slice(0, half), statements.slice(half)].map((Statement) => ({ Statement }));
  const iam = startIam(parts);
  const site = await startFaultySite(home, { iam });
  try {
    const check = () => site.run(["access", "check", "--role", "ci-retention=nightly", "--json"]);
    const { exitCode, stdout, stderr } = await check();
    expect(stderr).toBe("");
    const found = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { check: string });
    expect(found.filter((each) => each.check === "ci-retention")).toEqual([
      {
        check: "ci-retention",
        subject: "nightly",
        status: "ok",
        message: "may what it needs, and nothing else",
      },
    ]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(iam.asked.map((each) => [each.get("Action"), each.get("Marker")])).toEqual([
      ["GetAccountAuthorizationDetails", null],
      ["GetAccountAuthorizationDetails", "on"],
    ]);
    iam.isDenied = true;
    const denied = await check();
    expect([denied.exitCode, denied.stderr]).toEqual([
      1,
      expect.stringContaining("iam:GetAccountAuthorizationDetails"),
    ]);
  } finally {
    await site.close();
  }
});
