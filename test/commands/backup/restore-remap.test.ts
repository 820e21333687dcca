import { AdminDeleteUserCommand } from "@aws-sdk/client-cognito-identity-provider";
import { afterEach, beforeEach, expect, it } from "vitest";
import { deleteObject, getObjectBytes, putObject } from "../../../src/aws/s3/objects.ts";
import { createUser } from "../../../src/aws/cognito/users-change.ts";
import { paced } from "../../../src/aws/cognito/users-pace.ts";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import { putTyped, removeUsers, textOf } from "../../support/typed-tables.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const profiles = "mawps-user-profiles";
const bucket = "mawps-user-files-1760106396";
const poolId = localPoolId("eu-central-1");

let home: TestHome;
beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

it("--remap makes accounts anew and writes their new ids into items and keys; once more, all is the same", async () => {
  const calls = { paced: paced({ perSecond: 1000, now: () => new Date() }), signal: undefined };
  // The pool signs in with addresses: there Cognito calls a user by their id.
  const { username: sub } = await home.look((aws) =>
    createUser(aws, poolId, {
      ...calls,
      username: "erika@example.com",
      attributes: [{ name: "email", value: "erika@example.com" }],
    }),
  );
  const keyOf = (id: string) => `users/${id}/a.txt`;
  await putTyped(home, profiles, [
    { userId: { S: sub }, picture: { S: `https://example.com/${keyOf(sub)}` } },
    { userId: { S: "owner" }, n: { N: "1" } },
  ]);
  await home.look((aws) => putObject(aws, { bucket, key: keyOf(sub), body: Buffer.from("eins") }));
  expect((await home.run(["backup", "create"])).exitCode).toBe(0);
  await removeUsers(home, profiles, [sub, "owner"]);
  await home.look(async (aws) => {
    await deleteObject(aws, { bucket, key: keyOf(sub) });
    await (await aws.cognito()).send(new AdminDeleteUserCommand({ UserPoolId: poolId, Username: sub }));
  });

  const argv = ["backup", "restore", "--remap", "--yes", "--json"];
  const { exitCode, stdout, stderr } = await home.run(argv);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ written: { items: 2, objects: 1, users: { created: 1 } } });
  const lines = await textOf(home, profiles);
  const [, now = ""] = /"userId":\{"S":"([\da-f-]{36})"\}/.exec(lines.join("\n")) ?? [];
  expect(now).not.toBe(sub);
  expect(lines.join("\n")).toContain(`https://example.com/${keyOf(now)}`);
  expect(lines.join("\n")).not.toContain(sub);
  const { bytes } = await home.look((aws) => getObjectBytes(aws, { bucket, key: keyOf(now) }));
  expect(bytes.toString()).toBe("eins");
  const again = await home.run(argv);
  expect(JSON.parse(again.stdout)).toMatchObject({ written: { items: 0, objects: 0 } });
  expect(await textOf(home, profiles)).toEqual(lines);
});

it("--remap counts what stays under the old id, before and after, and leaves it there", async () => {
  const calls = { paced: paced({ perSecond: 1000, now: () => new Date() }), signal: undefined };
  const { username: sub } = await home.look((aws) =>
    createUser(aws, poolId, {
      ...calls,
      username: "erika@example.com",
      attributes: [{ name: "email", value: "erika@example.com" }],
    }),
  );
  const documents = { L: [{ M: { id: { S: "a" } } }, { M: { id: { S: "b" } } }] };
  await putTyped(home, profiles, [
    { userId: { S: sub }, documents, progressData: { M: {} } },
    { userId: { S: "owner" }, n: { N: "1" } },
  ]);
  await putTyped(home, "mawps-digital-twin", [{ userId: { S: sub }, type: { S: "digital-twin" } }]);
  const keys = [`users/${sub}/a.txt`, `public/documents/${sub}/cv/1.pdf`];
  await home.look(async (aws) => {
    for (const key of keys) await putObject(aws, { bucket, key, body: Buffer.from("eins") });
  });
  expect((await home.run(["backup", "create"])).exitCode).toBe(0);
  await home.look(async (aws) => {
    await (await aws.cognito()).send(new AdminDeleteUserCommand({ UserPoolId: poolId, Username: sub }));
  });
  const line =
    "stays as it is under the old ids of 1 user: 2 items (2 documents, the progress of 1 user, 1 digital twin) and 2 objects";
  const argv = ["backup", "restore", "--remap", "--yes"];
  expect((await home.run([...argv, "--dry-run"])).stdout).toContain(line);
  const { exitCode, stdout } = await home.run(argv);
  expect(exitCode).toBe(0);
  expect(stdout).toContain(line);
  const third = await home.run(argv);
  expect(third.stdout.split(line)).toHaveLength(2);
  const again = await home.run([...argv, "--json"]);
  expect(JSON.parse(again.stdout)).toMatchObject({
    staying: { users: 1, items: 2, documents: 2, progress: 1, twins: 1, objects: 2 },
    written: { items: 0, objects: 0 },
  });
  expect((await textOf(home, profiles)).filter((each) => each.includes(sub))).toHaveLength(1);
  for (const key of keys) {
    const { bytes } = await home.look((aws) => getObjectBytes(aws, { bucket, key }));
    expect(bytes.toString()).toBe("eins");
  }
  const without = await home.run(["backup", "restore", "--json"]);
  expect(JSON.parse(without.stdout)).not.toHaveProperty("staying");
});

it("--user and --item take the address of an account in the backup, also when the account is gone", async () => {
  const calls = { paced: paced({ perSecond: 1000, now: () => new Date() }), signal: undefined };
  const create = async (email: string) => {
    const attributes = [{ name: "email", value: email }];
    const { username } = await home.look((aws) =>
      createUser(aws, poolId, { ...calls, username: email, attributes }),
    );
    return username;
  };
  const erika = await create("erika@example.com");
  const max = await create("max@example.com");
  await putTyped(home, profiles, [{ userId: { S: erika } }, { userId: { S: max } }]);
  expect((await home.run(["backup", "create"])).exitCode).toBe(0);
  await home.look(async (aws) => {
    await (await aws.cognito()).send(new AdminDeleteUserCommand({ UserPoolId: poolId, Username: erika }));
  });
  for (const narrow of [
    ["--user", "Erika@example.com"],
    ["--item", "erika@example.com"],
  ]) {
    await removeUsers(home, profiles, [erika, max]);
    const { exitCode } = await home.run(["backup", "restore", ...narrow, "--yes", "--json"]);
    expect(exitCode).toBe(0);
    expect(await textOf(home, profiles)).toEqual([`{"Item":{"userId":{"S":"${erika}"}}}`]);
  }
});
