import {
  AdminCreateUserCommand,
  AdminGetUserCommand,
  AdminListGroupsForUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  DeleteUserPoolCommand,
  DescribeUserPoolCommand,
  ListUserPoolsCommand,
  paginateListUsers,
  paginateListUsersInGroup,
} from "@aws-sdk/client-cognito-identity-provider";
import { build } from "esbuild";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { requestHandler } from "../src/request-handler.ts";
import { localPoolId } from "../src/service.ts";
import { openStore, resetStore, type LocalStore } from "../src/store.ts";

const region = "eu-central-1";
const UserPoolId = localPoolId(region);
let dir: string;

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "mawps-cognito-")), "store");
});
afterEach(() => rm(join(dir, ".."), { recursive: true, force: true }));

async function withStore<T>(
  work: (client: CognitoIdentityProviderClient, store: LocalStore) => Promise<T>,
  at = region,
): Promise<T> {
  const store = await openStore(dir, { region: at, now: () => new Date() });
  const client = new CognitoIdentityProviderClient({
    region: at,
    credentials: store.credentials,
    maxAttempts: 1,
    requestHandler: requestHandler(await store.cognito()),
  });
  try {
    return await work(client, store);
  } finally {
    client.destroy();
    await store.close();
  }
}

function poolIds(at = region): Promise<string[]> {
  return withStore(async (client) => {
    const { UserPools: pools = [] } = await client.send(new ListUserPoolsCommand({ MaxResults: 60 }));
    return pools.map(({ Id }) => Id ?? "");
  }, at);
}

describe("a new store", () => {
  test("has one pool, which signs in by e-mail", async () => {
    expect(await poolIds()).toEqual(["eu-central-1_Local0000"]);
    await withStore(async (client) => {
      const { UserPool: pool } = await client.send(new DescribeUserPoolCommand({ UserPoolId }));
      expect(pool).toMatchObject({
        UsernameAttributes: ["email"],
        UsernameConfiguration: { CaseSensitive: false },
        EstimatedNumberOfUsers: 0,
      });
    });
  });

  test("has one for each region in which it is opened", async () => {
    await poolIds();
    expect(await poolIds("us-east-1")).toEqual(["eu-central-1_Local0000", "us-east-1_Local0000"]);
  });

  test("does not make it again when somebody deleted it", async () => {
    await withStore((client) => client.send(new DeleteUserPoolCommand({ UserPoolId })));
    expect(await poolIds()).toEqual([]);
  });
});

describe("a store's accounts", () => {
  test("are there when it is opened again, and gone with a reset", async () => {
    const about = { UserPoolId, Username: "max@example.com" };
    const made = await withStore(async (client) => {
      await client.send(new AdminCreateUserCommand({ ...about, MessageAction: "SUPPRESS" }));
      return client.send(new AdminGetUserCommand(about));
    });
    const read = await withStore((client) => client.send(new AdminGetUserCommand(about)));
    expect({ ...read, $metadata: {} }).toEqual({ ...made, $metadata: {} });
    await resetStore(dir);
    await withStore(async (client) => {
      await expect(client.send(new AdminGetUserCommand(about))).rejects.toThrow("User does not exist.");
    });
  });

  test("hold no password that could be read", async () => {
    const [temporary, permanent] = ["Readable-Temporary-1", "Readable-Permanent-2"];
    const about = { UserPoolId, Username: "max@example.com" };
    await withStore(async (client) => {
      const input = { ...about, TemporaryPassword: temporary, MessageAction: "SUPPRESS" as const };
      await client.send(new AdminCreateUserCommand(input));
      await client.send(new AdminSetUserPasswordCommand({ ...about, Password: permanent, Permanent: true }));
    });
    const files = await readdir(join(dir, "cognito"));
    const contents = await Promise.all(files.map((name) => readFile(join(dir, "cognito", name), "latin1")));
    expect(contents.some((text) => text.includes("max@example.com"))).toBe(true);
    for (const text of contents) {
      expect(text).not.toContain(temporary);
      expect(text).not.toContain(permanent);
    }
  });
});

test("a process that is killed at any moment loses no acknowledged change, and leaves no half one", async () => {
  const built = await mkdtemp(join(tmpdir(), "mawps-cognito-process-"));
  const program = join(built, "cognito-process.cjs");
  await build({
    entryPoints: [fileURLToPath(new URL("./cognito-process.ts", import.meta.url))],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "cjs",
    external: ["classic-level"],
    logLevel: "error",
  });
  try {
    const acknowledged = new Map<number, string>();
    for (let round = 0; round < 4; round++) {
      const first = Math.max(-1, ...acknowledged.keys()) + 2;
      await runUntil(program, { first: round === 0 ? 0 : first, lines: 15 + 7 * round, acknowledged });
      await checkAgainst(acknowledged);
    }
    expect(acknowledged.size).toBeGreaterThan(20);
  } finally {
    await rm(built, { recursive: true, force: true });
  }
});

/** Runs the program and kills it after so many lines; notes the last thing that each number's line said. */
async function runUntil(
  program: string,
  run: { readonly first: number; readonly lines: number; readonly acknowledged: Map<number, string> },
): Promise<void> {
  const child = spawn(process.execPath, [program, dir, String(run.first)], {
    env: {
      ...process.env,
      NODE_PATH: join(import.meta.dirname, "../../../node_modules"),
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [what = "", number = ""] = line.split(" ");
    run.acknowledged.set(Number(number), what);
    count += 1;
    if (count === run.lines) child.kill("SIGKILL");
  }
  const [code, signal] = (await exited) as [number | null, string | null];
  expect([code, signal]).toEqual([null, "SIGKILL"]);
}

/** What was under way when the process died may have been done or not; everything else is as it was said. */
function checkAgainst(acknowledged: ReadonlyMap<number, string>): Promise<void> {
  return withStore(async (client) => {
    const listed = new Map<string, string>();
    for await (const page of paginateListUsers({ client }, { UserPoolId })) {
      for (const user of page.Users ?? []) {
        const email = user.Attributes?.find(({ Name }) => Name === "email")?.Value ?? "";
        listed.set(email, user.Username ?? "");
      }
    }
    const members = new Set<string>();
    for await (const page of paginateListUsersInGroup({ client }, { UserPoolId, GroupName: "staff" }))
      for (const user of page.Users ?? []) members.add(user.Username ?? "");
    // The index and both sides of a membership agree with the users, whatever happened.
    for (const [email, username] of listed) {
      const found = await client.send(new AdminGetUserCommand({ UserPoolId, Username: email }));
      expect(found.Username).toBe(username);
      const { Groups: groups = [] } = await client.send(
        new AdminListGroupsForUserCommand({ UserPoolId, Username: email }),
      );
      expect(groups.length > 0).toBe(members.has(username));
    }
    expect([...members].filter((member) => ![...listed.values()].includes(member))).toEqual([]);
    const wrong = [...acknowledged].filter(([number, what]) => {
      const state = listed.has(`user-${number}@example.com`)
        ? "as made"
        : listed.has(`moved-${number}@example.com`)
          ? "moved"
          : "gone";
      return !possible(number, what).includes(state);
    });
    expect(wrong).toEqual([]);
  });
}

/** What may have become of a number, by the last thing that was acknowledged of it. */
function possible(number: number, what: string): string[] {
  if (what === "deleted") return ["gone"];
  if (what === "moved") return ["moved"];
  return ["as made", ...(number % 3 === 0 ? ["gone"] : []), ...(number % 3 === 1 ? ["moved"] : [])];
}
