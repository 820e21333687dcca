import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  AdminCreateUserCommand,
  type AdminCreateUserCommandInput,
} from "@aws-sdk/client-cognito-identity-provider";
import { localPoolId } from "@mawps/local-aws/src/service.ts";
import { deleteObject, putObject } from "../../../src/aws/s3/objects.ts";
import { pictureOf } from "../../site/picture.ts";
import { putAccounts } from "../../support/accounts.ts";
import { documentBucket, putProfile } from "../../support/documents.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

const UserPoolId = localPoolId("eu-central-1");

let full: TestHome;
let home: TestHome;

beforeAll(async () => {
  full = await makeHome();
  await full.look((aws) => putAccounts(aws, UserPoolId));
});
afterAll(() => full.remove());

beforeEach(async () => {
  home = await full.copy();
});
afterEach(() => home.remove());

const put = (name: string, text: string | Uint8Array) => writeFile(join(home.folder, name), text);

async function accounts(): Promise<Record<string, { attributes: Record<string, string>; userId: string }>> {
  const { stdout } = await home.run(["user", "list", "--json"]);
  const lines = stdout.split("\n").filter((line) => line !== "");
  const all = lines.map((line) => JSON.parse(line) as { attributes: Record<string, string>; userId: string });
  return Object.fromEntries(all.map((account) => [account.attributes["email"] ?? "", account]));
}

/** Each account with its groups, exactly. */
async function users(): Promise<[string, string][]> {
  const all = await pictureOf(home, UserPoolId);
  return [...all].filter(([name]) => name.startsWith("user "));
}

async function members(): Promise<string[]> {
  const { stdout } = await home.run(["user", "list", "--group", "admin", "--json"]);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines
    .map((line) => (JSON.parse(line) as { attributes: { email?: string } }).attributes.email ?? "")
    .toSorted();
}

describe("user import", () => {
  it("makes those that are not there, in whatever case, and the same again makes nobody", async () => {
    await put(
      "people.csv",
      '\uFEFFemail,name,group,phone_number\r\nNina@example.com,"Nina ""N"" Neu",admin,\'+49301234568\r\nMAX@example.com,Anders,,\r\neva@example.com,,admin,\r\n',
    );
    const { exitCode, stdout } = await home.run(["user", "import", "people.csv", "--yes"]);
    expect([exitCode, stdout.split("\n").map((line) => line.split("  ").slice(0, 3))]).toEqual([
      0,
      [
        ["2", "Nina@example.com", "made"],
        ["3", "MAX@example.com", "there"],
        ["4", "eva@example.com", "there"],
        [""],
      ],
    ]);
    const all = await accounts();
    expect(Object.keys(all).toSorted()).toEqual([
      "Nina@example.com",
      "eva@example.com",
      "ida@example.com",
      "max@example.com",
      "nora@example.com",
    ]);
    expect(all["Nina@example.com"]?.attributes).toMatchObject({
      name: 'Nina "N" Neu',
      phone_number: "+49301234568",
    });
    expect(all["max@example.com"]?.attributes["name"]).toBeUndefined();
    expect(await members()).toEqual(["Nina@example.com", "eva@example.com", "max@example.com"]);
    const before = await users();
    const again = await home.run(["user", "import", "people.csv", "--yes", "--json"]);
    const outcomes = again.stdout
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [(JSON.parse(line) as { outcome: string }).outcome]));
    expect(outcomes).toEqual(["there", "there", "there"]);
    expect(await users()).toEqual(before);
  });

  it("takes UTF-16 as spreadsheets write it, and cells at the end in which nothing is", async () => {
    await put("people.csv", Buffer.from("\uFEFFemail,name,,\r\njuergen@example.com,Jürgen,,\r\n", "utf16le"));
    expect((await home.run(["user", "import", "people.csv", "--yes"])).exitCode).toBe(0);
    expect((await accounts())["juergen@example.com"]?.attributes["name"]).toBe("Jürgen");
  });

  it("takes what user list prints", async () => {
    await home.run(["user", "set", "nora@example.com", "email_verified=true"]);
    const listed = await home.run(["user", "list", "--json"]);
    const csv = await home.run(["user", "list", "--csv"]);
    await put("all.json", listed.stdout.replaceAll("ida@example.com", "ida2@example.com"));
    await put("all.csv", csv.stdout.replaceAll("ida@example.com", "ida3@example.com"));
    expect((await home.run(["user", "import", "all.csv", "--yes"])).exitCode).toBe(0);
    expect((await home.run(["user", "import", "all.json", "--yes"])).exitCode).toBe(0);
    expect(Object.keys(await accounts())).toEqual(
      expect.arrayContaining(["ida2@example.com", "ida3@example.com"]),
    );
  });

  it("writes the rows that failed into a file that can be fed in again", async () => {
    await put(
      "people.csv",
      'email,name,groups\na@example.com,=A,\nb@example.com,"B, b",admin\nc@example.com,C,\n',
    );
    home.beforeCall = async (command, input) => {
      const { Username = "" } = input as { Username?: string };
      if (command === "AdminCreateUserCommand" && Username.startsWith("b@")) {
        const $metadata = { httpStatusCode: 400 };
        throw Object.assign(new Error("Rate exceeded"), { name: "TooManyRequestsException", $metadata });
      }
    };
    const { exitCode, stderr } = await home.run([
      "user",
      "import",
      "people.csv",
      "--yes",
      "--failed",
      "failed.csv",
    ]);
    expect([exitCode, stderr]).toEqual([
      3,
      expect.stringContaining("row 3, b@example.com: TooManyRequestsException: Rate exceeded"),
    ]);
    expect(await readFile(join(home.folder, "failed.csv"), "utf8")).toBe(
      'email,name,groups,error\r\nb@example.com,"B, b",admin,TooManyRequestsException: Rate exceeded\r\n',
    );
    expect(Object.keys(await accounts())).toEqual(expect.arrayContaining(["a@example.com", "c@example.com"]));
    home.beforeCall = undefined;
    expect((await home.run(["user", "import", "failed.csv", "--yes"])).exitCode).toBe(0);
    const all = await accounts();
    expect([all["b@example.com"]?.attributes["name"], all["a@example.com"]?.attributes["name"]]).toEqual([
      "B, b",
      "=A",
    ]);
    expect(await members()).toContain("b@example.com");
  });

  it("puts nobody into a group for an address that an account only claims", async () => {
    await put("people.csv", "email,group\nNora@example.com,admin\nnina@example.com,admin\n");
    const { exitCode, stderr } = await home.run([
      "user",
      "import",
      "people.csv",
      "--yes",
      "--failed",
      "f.csv",
    ]);
    expect([exitCode, stderr]).toEqual([
      3,
      expect.stringContaining("row 2, Nora@example.com: an account claims this address, unverified"),
    ]);
    const created = await home.run(["user", "create", "nora@example.com", "--group", "admin"]);
    expect([created.exitCode, created.stderr]).toEqual([1, expect.stringContaining("unverified")]);
    expect(await members()).toEqual(["max@example.com", "nina@example.com"]);
  });

  it("tells of an account that was made and not invited, and sends no second invitation unasked", async () => {
    await put("people.csv", "email\nnina@example.com\n");
    home.beforeCall = async (command, input, aws) => {
      const asked = input as AdminCreateUserCommandInput;
      if (command !== "AdminCreateUserCommand" || asked.MessageAction === "SUPPRESS") return;
      const { Username, UserAttributes } = asked;
      const account = { UserPoolId, Username, UserAttributes, MessageAction: "SUPPRESS" as const };
      await (await aws.cognito()).send(new AdminCreateUserCommand(account));
      const $metadata = { httpStatusCode: 400 };
      throw Object.assign(new Error("no message"), { name: "CodeDeliveryFailureException", $metadata });
    };
    const argv = ["user", "import", "people.csv", "--yes", "--invite"];
    const first = await home.run([...argv, "--failed", "f.csv"]);
    expect([first.exitCode, first.stdout]).toEqual([
      3,
      "2  nina@example.com  made  made, not invited: no message\n",
    ]);
    expect((await accounts())["nina@example.com"]).toBeDefined();
    const created = await home.run(["user", "create", "neu@example.com"]);
    expect([created.exitCode, created.stderr]).toEqual([3, expect.stringContaining("made, not invited")]);
    home.beforeCall = undefined;
    const again = await home.run(argv);
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining("there  never signed in")]);
  });

  it("does not go on where a right is missing, and tells of all the rest", async () => {
    await put("people.csv", "email\na@example.com\nb@example.com\nc@example.com\n");
    home.beforeCall = async (command) => {
      if (command !== "AdminCreateUserCommand") return;
      throw Object.assign(new Error("no"), {
        name: "AccessDeniedException",
        $metadata: { httpStatusCode: 400 },
      });
    };
    const { exitCode } = await home.run(["user", "import", "people.csv", "--yes", "--failed", "failed.json"]);
    expect(exitCode).toBe(3);
    const failed = JSON.parse(await readFile(join(home.folder, "failed.json"), "utf8")) as {
      email: string;
    }[];
    expect(failed.map(({ email }) => email)).toEqual(["a@example.com", "b@example.com", "c@example.com"]);
    expect(home.calls.filter(({ command }) => command === "AdminCreateUserCommand").length).toBe(1);
  });
});

describe("user import, not done", () => {
  it.each([
    ["email\nno address\nnina@example.com\n", 1, 'row 2: the user "no address"'],
    ["email\nowner\n", 1, "reserved"],
    ["email\nnina@example.com\nNINA@example.com\n", 1, "row 3: has the address of row 2 again"],
    ["email,group\nnina@example.com,nobody\n", 1, 'no group "nobody"'],
    ["email,shoe\nnina@example.com,43\n", 1, 'no attribute "shoe"'],
    ['email,name\nnina@example.com,"a\nb"\n', 1, "control character or a line break"],
    ["name\nNina\n", 2, 'no column "email"'],
    ['email\n"nina\n', 2, "is no CSV"],
    ["[1]", 2, "element 1 is no object"],
    ["{", 2, "is no JSON"],
    ["email\n", 2, "has no rows"],
    ["", 2, 'no column "email"'],
    ["email;name\nnina@example.com;Nina\n", 2, "divided by semicolons"],
    ["email\tname\nnina@example.com\tNina\n", 2, "divided by tabs"],
    ["email,name\nnina@example.com,Neu, Nina\n", 2, "line 2 has something in cell 3"],
    ["email,name,\nnina@example.com,Nina,,\nada@example.com,Ada,x\n", 2, "line 3 has something in cell 3"],
    ["email,name,name\nnina@example.com,Nina,Neu\n", 2, 'two columns "name"'],
    [
      Buffer.from("email,name\nnina@example.com,Nina\njuergen@example.com,Jürgen\n", "latin1"),
      2,
      "line 3 is not UTF-8",
    ],
    [Buffer.from('[{"email":"j@example.com","name":"Jürgen"}]', "latin1"), 2, "line 1 is not UTF-8"],
    [Buffer.from("\uFEFFemail\n\uD800", "utf16le"), 2, "is no text"],
  ])("%j: ends with %i, and makes nobody", async (text, code, why) => {
    await put("people.csv", text);
    const { exitCode, stderr } = await home.run(["user", "import", "people.csv", "--yes"]);
    expect([exitCode, stderr]).toEqual([code, expect.stringContaining(why)]);
    expect(Object.keys(await accounts()).length).toBe(4);
    expect((await readdir(home.folder)).toSorted()).toEqual(["people.csv", "store"]);
  });

  it("takes a damaged text in the file for no file name that is damaged", async () => {
    await put("people.csv", "email\nJ\uFFFDrgen\n");
    const { exitCode, stderr } = await home.run(["user", "import", "people.csv", "--yes"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("J\uFFFDrgen")]);
    expect(stderr).not.toContain("cannot be named here");
  });

  it.each(["people.csv", "no/failed.csv"])("ends with 1 for --failed %s, and makes nobody", async (file) => {
    await put("people.csv", "email\nnina@example.com\n");
    const { exitCode } = await home.run(["user", "import", "people.csv", "--yes", "--failed", file]);
    expect(exitCode).toBe(1);
    expect(Object.keys(await accounts()).length).toBe(4);
    expect(await readFile(join(home.folder, "people.csv"), "utf8")).toBe("email\nnina@example.com\n");
  });

  it("tells each row with --dry-run, and makes nobody", async () => {
    await put("people.csv", "email\nnina@example.com\nMax@example.com\n");
    const { exitCode, stdout } = await home.run(["user", "import", "people.csv", "--dry-run"]);
    expect([exitCode, stdout]).toEqual([
      0,
      "2  nina@example.com  would be made\n3  Max@example.com  already exists\n",
    ]);
    expect(Object.keys(await accounts()).length).toBe(4);
  });
});

describe("user duplicates and orphans", () => {
  it("finds the same address in another case or spelling, and only maybe behind dots and a plus", async () => {
    await home.look(async (aws) => {
      const cognito = await aws.cognito();
      for (const Username of [
        "Mu\u0308ller@example.com",
        "m\u00FCller@example.com",
        "m.ax+news@example.com",
      ]) {
        const UserAttributes = [{ Name: "email", Value: Username }];
        await cognito.send(
          new AdminCreateUserCommand({ UserPoolId, Username, UserAttributes, MessageAction: "SUPPRESS" }),
        );
      }
    });
    const { exitCode, stdout } = await home.run(["user", "duplicates", "--json"]);
    expect(exitCode).toBe(0);
    const found = stdout
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as { kind: string; addresses: string[] }]));
    expect(found.map(({ kind, addresses }) => `${kind}: ${addresses.join(", ")}`)).toEqual([
      "maybe: m.ax+news@example.com, max@example.com",
      "same: Mu\u0308ller@example.com, m\u00FCller@example.com",
    ]);
    const [head, ...rows] = (await home.run(["user", "duplicates"])).stdout.trimEnd().split("\n");
    expect(head).toMatch(/^GROUP +ARE +E-MAIL +STATE +USER/);
    expect(rows.map((row) => row.trim().split(/ {2,}/).slice(0, 3).join(" "))).toEqual([
      "1 maybe the same m.ax+news@example.com",
      "1 maybe the same max@example.com",
      "2 the same Mu\u0308ller@example.com",
      "2 the same m\u00FCller@example.com",
    ]);
  });

  it("finds data without account and accounts without data, by one pass and no call about one person", async () => {
    const max = (await accounts())["max@example.com"]?.userId ?? "";
    await home.look(async (aws) => {
      await putProfile(aws, max);
      await putProfile(aws, "gone-1");
      await putProfile(aws, "global-settings");
      await putProfile(aws, "EVA@example.com");
      const body = Buffer.from("x");
      for (const userId of ["gone-2", "owner", max])
        await putObject(aws, { bucket: documentBucket, key: `public/documents/${userId}/cv/a.pdf`, body });
      await deleteObject(aws, { bucket: documentBucket, key: "public/documents/gone-2/cv/a.pdf" });
      await putObject(aws, { bucket: documentBucket, key: "public/profile-images/rentals/1/a.jpg", body });
    });
    home.calls.length = 0;
    const { exitCode, stdout } = await home.run(["user", "orphans", "--json"]);
    expect(exitCode).toBe(0);
    const found = stdout
      .split("\n")
      .flatMap((line) =>
        line === "" ? [] : [JSON.parse(line) as { kind: string; userId: string; email: string }],
      );
    expect(found.map(({ kind, userId, email }) => `${kind}: ${email ?? userId}`).toSorted()).toEqual([
      "account without data: ida@example.com",
      "account without data: nora@example.com",
      "data without account: gone-1",
      "data without account: gone-2",
    ]);
    expect(
      home.calls.filter(({ command }) => /^(AdminGetUser|GetItem|Query|HeadObject)Command$/.test(command)),
    ).toEqual([]);
  });
});
