import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import { connect } from "../../src/aws/clients.ts";
import { openDocumentSite } from "../../src/documents/site.ts";
import { resolveUser, type Unknown } from "../../src/documents/users.ts";
import { profileTable, putProfile } from "../support/documents.ts";
import { makeHome, type TestHome } from "../support/world.ts";

interface Account {
  readonly username: string;
  readonly sub: string;
  readonly email: string;
}

const accounts: readonly Account[] = [
  { username: "max", sub: "11111111-aaaa-4aaa-8aaa-000000000001", email: "max@example.com" },
  { username: "eva", sub: "22222222-aaaa-4aaa-8aaa-000000000002", email: "eva@example.com" },
  { username: "eva2", sub: "33333333-aaaa-4aaa-8aaa-000000000003", email: "eva@example.com" },
  { username: 'odd"\\name', sub: "44444444-aaaa-4aaa-8aaa-000000000004", email: 'odd"\\name@example.com' },
];

let home: TestHome;
let pool: { server: Server; aws: Aws; filters: string[] };

/** Cognito's AdminGetUser, and ListUsers with its filter and pages of one account. */
async function startPool(): Promise<typeof pool> {
  const filters: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const asked = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string | undefined>;
      const [status, answer] = answerOf(String(request.headers["x-amz-target"]), asked);
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(answer));
    });
  });
  function answerOf(target: string, asked: Record<string, string | undefined>): [number, object] {
    const attributes = ({ sub, email }: Account) => [
      { Name: "sub", Value: sub },
      { Name: "email", Value: email },
    ];
    if (target.endsWith("AdminGetUser")) {
      const found = accounts.find(({ username }) => username === asked["Username"]);
      return found === undefined
        ? [400, { __type: "UserNotFoundException", message: "User does not exist." }]
        : [200, { Username: found.username, UserAttributes: attributes(found) }];
    }
    filters.push(asked["Filter"] ?? "");
    const [, name = "", value = ""] = /^(\w+) = "(.*)"$/.exec(asked["Filter"] ?? "") ?? [];
    const wanted = value.replaceAll(/\\(.)/g, "$1");
    const found = accounts.filter((account) => account[name as keyof Account] === wanted);
    const at = Number(asked["PaginationToken"] ?? "0");
    const users = found
      .slice(at, at + 1)
      .map((account) => ({ Username: account.username, Attributes: attributes(account) }));
    return [200, { Users: users, ...(at + 1 < found.length ? { PaginationToken: String(at + 1) } : {}) }];
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const aws = connect({
    region: "eu-central-1",
    endpointUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  });
  return { server, aws, filters };
}

beforeEach(async () => {
  home = await makeHome();
  pool = await startPool();
});

afterEach(async () => {
  pool.aws.close();
  pool.server.close();
  await home.remove();
});

/** Resolves against the pool and a table in which only the first account has a profile. */
function resolve(given: string, unknown: Unknown = "refuse"): Promise<string> {
  return home.look(async (aws) => {
    await putProfile(aws, accounts[0]?.sub ?? "");
    await putProfile(aws, "from-before-the-pool");
    const site = await openDocumentSite({
      ...places,
      aws: { ...aws, cognito: pool.aws.cognito },
      userPoolId: "eu-central-1_abc",
    });
    return resolveUser(site, given, unknown);
  });
}

const places = {
  bucket: "mawps-user-files-1760106396",
  table: profileTable,
  uploadsBucket: "mawps-profile-images",
  apiTable: "mawps-user-documents",
  ownTable: "mawps-migrations",
  now: () => new Date(),
  signal: new AbortController().signal,
};

it.each(["max", accounts[0]?.sub ?? "", "max@example.com"])("finds the account behind %s", async (given) => {
  expect(await resolve(given)).toBe(accounts[0]?.sub);
});

it("names all accounts that have an address, from every page", async () => {
  await expect(resolve("eva@example.com")).rejects.toThrow(/2 users .*22222222.*33333333/);
});

it("refuses an account without a profile unless it may have none", async () => {
  await expect(resolve("eva")).rejects.toMatchObject({
    message: expect.stringContaining("has no profile"),
    hint: expect.stringContaining("make the profile of an account"),
  });
  expect(await resolve("eva", "take")).toBe(accounts[1]?.sub);
});

it("knows a profile without an account, and refuses what is neither", async () => {
  expect(await resolve("from-before-the-pool")).toBe("from-before-the-pool");
  await expect(resolve("nobody")).rejects.toThrow("no account and no profile");
  expect(await resolve("nobody", "take")).toBe("nobody");
  await expect(resolve("nobody@example.com", "take")).rejects.toThrow("unknown user");
});

it("keeps quotes in what is looked for within the filter's text", async () => {
  await expect(resolve('x" or email ^= "@')).rejects.toThrow("a space");
  expect(await resolve('odd"name@example.com', "take").catch((error: Error) => error.message)).toContain(
    "unknown",
  );
  expect(pool.filters).toContain('email = "odd\\"name@example.com"');
});

it.each<Unknown>(["refuse", "take", "make"])(
  "without a pool takes no address for the access record that stands under it (%s)",
  async (unknown) => {
    await home.look(async (aws) => {
      await putProfile(aws, "eva@example.com", { access: { admin: true } });
      const site = await openDocumentSite({ ...places, aws, userPoolId: undefined });
      await expect(resolveUser(site, "eva@example.com", unknown)).rejects.toThrow(
        "no profile has this address",
      );
    });
  },
);
