import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { putDocument, putProfile, readEntries } from "./support/documents.ts";
import { startFaultyServer, type FaultyServer } from "./support/faulty-server.ts";
import { makeHome, type TestHome } from "./support/world.ts";

const name = "cv\r\u001B[2K\u009B31m\u202Efdp.exe\nerror: gone";
const shown = "cv\\x0d\\x1b[2K\\x9b31m\\u202efdp.exe\\x0aerror: gone";
/** What steers a terminal: everything but a line's end. */
const raw = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u;

let home: TestHome;
let server: FaultyServer | undefined;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.close();
  server = undefined;
  await home.remove();
});

/** The lines that would steer a terminal. */
function rawLines(text: string): string[] {
  return text.split("\n").filter((line) => raw.test(line));
}

describe("a name with escape codes", () => {
  beforeEach(async () => {
    await home.look(async (aws) => {
      const entry = { ...(await putDocument(aws, { userId: "user-1", id: "doc-1", body: "x" })), name };
      await putProfile(aws, "user-1", { documents: [entry] });
    });
  });

  it.each([
    { argv: ["doc", "list", "user-1"], code: 0 },
    { argv: ["doc", "list", "--all"], code: 0 },
    { argv: ["doc", "show", "user-1", "doc-1"], code: 0 },
    { argv: ["doc", "rm", "user-1", "doc-1"], code: 1 },
    { argv: ["doc", "rm", "user-1", "doc-1", "--yes"], code: 0 },
  ])("is made visible by $argv", async ({ argv, code }) => {
    const { exitCode, stdout, stderr } = await home.run(argv);
    expect([exitCode, rawLines(stdout), rawLines(stderr)]).toEqual([code, [], []]);
    expect(stdout + stderr).toContain(shown);
  });

  it("comes through JSON whole, and does not steer a terminal there", async () => {
    const { stdout } = await home.run(["doc", "show", "user-1", "doc-1", "--json"]);
    expect(rawLines(stdout)).toEqual([]);
    expect(JSON.parse(stdout)).toMatchObject({ name });
  });

  it("stays as it is in the store", async () => {
    await home.run(["doc", "rm", "user-1", "doc-1", "--yes"]);
    expect(await home.look((aws) => readEntries(aws, "user-1", "simple"))).toMatchObject([
      { name, status: "DELETED" },
    ]);
  });
});

it("makes a file's name visible in an error, also where it is one of several", async () => {
  await mkdir(join(home.folder, name));
  const { stderr } = await home.run([
    "doc",
    "upload",
    "user-1",
    name,
    `no ${name}`,
    "--type",
    "cv",
    "--create-profile",
  ]);
  expect(rawLines(stderr)).toEqual([]);
  expect(stderr.split("\n").filter((line) => line.includes(shown))).toHaveLength(2);
});

it("says of a name that is not UTF-8 what to do", async () => {
  await writeFile(
    Buffer.concat([Buffer.from(join(home.folder, "L")), Buffer.from([0xe4]), Buffer.from(".pdf")]),
    "x",
  );
  const { exitCode, stderr } = await home.run([
    "doc",
    "upload",
    "user-1",
    "L\uFFFD.pdf",
    "--type",
    "cv",
    "--create-profile",
  ]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("hint: a file whose name is not UTF-8 cannot be named here: rename it first");
});

it.each([
  "https://me:hidden-word@example.com",
  "https://me:hid@den-word@example.com",
  "https://me:1#hidden-word@example.com",
  "https://me:1/hidden-word@example.com",
  "https://me/hidden-word@example.com",
  "me:hidden-word@example.com",
])("neither shows nor keeps a password in the endpoint %s", async (url) => {
  for (const [argv, env] of [
    [["config", "show", "--target", "aws", "--endpoint-url", url], {}],
    [["config", "show", "--json"], { AWS_ENDPOINT_URL: url }],
  ] as const) {
    const { exitCode, stdout, stderr } = await home.run(argv, { env });
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("not one with an @");
    expect(stderr).not.toContain("den-word");
  }
});

const token = `IQoJb3JpZ2luX2Vj${"Zm9v/YmFy+".repeat(20)}==`;

it.each<[string, (headers: unknown) => string]>([
  ["an object", (headers) => JSON.stringify(headers)],
  ["lists", () => `{"X-Amz-Security-Token":["${token}"]}`],
  ["pairs", () => `["x-amz-security-token","${token}"]`],
  ["XML", () => `<X-Amz-Security-Token>${token}</X-Amz-Security-Token>`],
  ["JSON in JSON", () => `{\\"x-amz-security-token\\":\\"${token}\\"}`],
  ["JSON with escaped slashes", () => `["x-amz-security-token","${token.replaceAll("/", "\\/")}"]`],
  ["an address in an address", () => `x-amz-security-token%3D${token}`],
  ["an address in one, as it is sent", () => `x-amz-security-token%253D${encodeURIComponent(token)}`],
  ["HTML", () => `x-amz-security-token&quot;:&quot;${token}&quot;`],
])("hides what a server echoes of the request's headers as %s", async (_name, echo) => {
  server = await startFaultyServer();
  server.fault = ({ headers }) => ({
    status: 418,
    headers: { "content-type": "application/x-amz-json-1.0" },
    body: JSON.stringify({ __type: "Odd", message: `\u009B2J${echo(headers)}` }),
  });
  await writeFile(
    join(home.folder, "credentials"),
    `[default]\naws_access_key_id=AKIAEXAMPLE\naws_secret_access_key=secret-of-the-test\naws_session_token=${token}\n`,
  );
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(home.folder, "credentials"));
  vi.stubEnv("AWS_CONFIG_FILE", join(home.folder, "none"));
  vi.stubEnv("AWS_MAX_ATTEMPTS", "1");
  const argv = ["hero", "show", "--target", "aws", "--endpoint-url", server.url];
  for (const more of [[], ["--json"], ["--verbose"]]) {
    const { exitCode, stderr } = await home.run([...argv, ...more]);
    expect(exitCode).toBe(1);
    expect(stderr.toLowerCase()).toContain("x-amz-security-token");
    for (const part of [token.slice(0, 16), token.slice(20, 28), token.slice(-12)]) {
      expect(stderr).not.toContain(part);
    }
    expect(stderr).not.toMatch(/Signature=[0-9a-f]{8}/);
    expect(rawLines(stderr)).toEqual([]);
  }
});
