import { describe, expect, it } from "vitest";
import type { UserPool } from "../../src/aws/cognito/user-pool.ts";
import type { PoolAccount } from "../../src/aws/cognito/users-list.ts";
import { DamagedError } from "../../src/backup/damage.ts";
import { identityOf, namedOf, parseUserLine, userLine, userLineText } from "../../src/backup/user-line.ts";

const byName: UserPool = {
  id: "eu-central-1_abc",
  name: "p",
  users: 1,
  signIn: [],
  aliases: [],
  isCaseSensitive: true,
  tellsAttributes: true,
  attributes: [],
};
const byEmail: UserPool = { ...byName, signIn: ["email"], isCaseSensitive: false };

const account: PoolAccount = {
  username: "max",
  sub: "11111111-aaaa-4aaa-8aaa-000000000001",
  attributes: [
    { name: "email", value: "Max@example.com" },
    { name: "identities", value: '[{"userId":"1","providerName":"Google"}]' },
    { name: "name", value: "Max {Müller}" },
  ],
  status: "CONFIRMED",
  enabled: true,
  createdAt: new Date("2026-01-01T00:00:00.123Z"),
  modifiedAt: new Date("2026-02-01T00:00:00.000Z"),
  secondFactors: [],
};

describe("a line", () => {
  it("holds the account so that it is the same when read again", () => {
    const line = userLine(account, byName, ["staff", "admins", "a}{b"]);
    expect(parseUserLine(Buffer.from(userLineText(line)))).toEqual(line);
    expect(line).toEqual({
      seen: {
        sub: account.sub,
        status: "CONFIRMED",
        enabled: true,
        createdAt: "2026-01-01T00:00:00.123Z",
        modifiedAt: "2026-02-01T00:00:00.000Z",
        groups: ["admins", "a}{b", "staff"],
        identities: '[{"userId":"1","providerName":"Google"}]',
      },
      put: {
        Username: "max",
        UserAttributes: [
          { Name: "email", Value: "Max@example.com" },
          { Name: "name", Value: "Max {Müller}" },
        ],
      },
    });
  });

  it("lets sed cut out what AdminCreateUser takes, for there are no braces before it", () => {
    const text = userLineText(userLine(account, byName, ["a}{b"]));
    const cut = /^\{"seen":\{[^{}]*\},"put":(.*)\}$/.exec(text)?.[1] ?? "";
    expect(JSON.parse(cut)).toMatchObject({ Username: "max" });
  });

  it("names the user by the address where the pool signs in with it", () => {
    const made = { ...account, username: account.sub };
    expect(userLine(made, byEmail, []).put.Username).toBe("Max@example.com");
    expect(userLine({ ...made, attributes: [] }, byEmail, []).put.Username).toBe(account.sub);
  });

  it("is nothing nested without end beside what an account has", () => {
    const text = userLineText(userLine(account, byName, []));
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    expect(() => parseUserLine(`{"deep":${deep},${text.slice(1)}`)).toThrow(DamagedError);
  });

  it.each(["", "{}", "null", '{"seen":{},"put":{}}', '{"seen":{"sub":"a"}', "[]"])("is not %j", (text) => {
    expect(() => parseUserLine(text)).toThrow(DamagedError);
  });
});

describe("an account is the same", () => {
  it("by its user name, with case", () => {
    expect(identityOf(account, byName)).toBe("max");
    expect(identityOf({ ...account, username: "Max" }, byName)).not.toBe(identityOf(account, byName));
    expect(identityOf({ ...account, username: "Max" }, { ...byName, isCaseSensitive: false })).toBe("max");
  });

  it("by its address where the pool signs in with it, whatever Cognito calls it", () => {
    const line = userLine({ ...account, username: account.sub }, byEmail, []);
    expect(identityOf(namedOf(line), byEmail)).toBe("max@example.com");
    expect(identityOf({ ...account, username: "another" }, byEmail)).toBe("max@example.com");
  });
});
