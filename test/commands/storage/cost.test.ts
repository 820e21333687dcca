import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { beginNativeBackup } from "../../../src/aws/dynamodb/native-backups.ts";
import { headObject, putObject } from "../../../src/aws/s3/objects.ts";
import { documentBucket, putProfile } from "../../support/documents.ts";
import { makeHome, testStart, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeAll(async () => {
  home = await makeHome();
  await home.look(async (aws) => {
    await putObject(aws, { bucket: documentBucket, key: "public/songs/1.mp3", body: Buffer.alloc(200_000) });
    await putProfile(aws, "user-1");
    await beginNativeBackup(aws, { table: "mawps-user-profiles", name: "nightly" });
  });
  const price = { region: "eu-central-1", unit: "GB-month", source: "our own contract", date: "2020-01-01" };
  const prices = [
    { ...price, id: "dynamodb.backup", usd: 1024 ** 3 },
    { ...price, id: "s3.storage.STANDARD", usd: 1024 ** 3 },
  ];
  await writeFile(join(home.folder, "prices.json"), JSON.stringify({ prices }));
  await writeFile(
    join(home.folder, "wrong.json"),
    JSON.stringify({ prices: [{ ...price, id: "x", usd: "free" }] }),
  );
});
afterAll(() => home.remove());

interface Told {
  readonly lines: readonly {
    readonly what: string;
    readonly usd: number | null;
    readonly price: object | null;
  }[];
}

describe("mawps storage cost", () => {
  it("offers no Intelligent-Tiering where the model's own rule brings all large objects there", async () => {
    const key = "users/u-1/uploads/2026/03/a.pdf";
    for (const [model, bucket, offered] of [
      ["prework", "prework-media-bucket", []],
      ["prework-guide", "pre-work-media-uploads", ["tiering"]],
    ] as const) {
      const env = { MAWPS_MODEL: model, MAWPS_HOME: join(home.folder, model) };
      await home.run(["setup", "--yes"], { env });
      await home.look((aws) => putObject(aws, { bucket, key, body: Buffer.alloc(200_000) }), env);
      const { exitCode, stdout } = await home.run(["storage", "cost", "--json"], { env });
      const { savings } = JSON.parse(stdout) as { savings: { code: string }[] };
      expect([exitCode, savings.map(({ code }) => code)]).toEqual([0, offered]);
    }
  });

  it("puts dated prices to what is there, says where none is known, and what is taken for granted", async () => {
    const { exitCode, stdout, stderr } = await home.run(["storage", "cost", "--json"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    const { lines } = JSON.parse(stdout) as Told;
    expect(lines.map(({ what, usd }) => [what, usd === null])).toEqual([
      ["objects, STANDARD", false],
      ["tables and their indexes, STANDARD", false],
      ["point-in-time recovery", false],
      ["backups kept by DynamoDB", true],
      ["accounts, plan ESSENTIALS", false],
    ]);
    const { stdout: text } = await home.run(["storage", "cost"]);
    expect(text).toMatch(
      /^objects, STANDARD +under 0\.001 GB +0\.0245 USD \/ GB-month \(2026-08-07\) +under 0\.01 USD +a whole month/m,
    );
    expect(text).toContain("of which no price is known; list prices without tax and discount");
    expect(text).toMatch(
      /Intelligent-Tiering .*: costs under 0\.01 USD more than it saves \(prices of 2026-08-07\)\n {2}if none of/,
    );
    expect(text).toContain("s3.requests.read: 0.00043 USD / 1,000 requests (2026-08-07)");
  });

  it("takes prices of a file first, warns of those that are old, and refuses a file that is none", async () => {
    const { stdout, stderr } = await home.run(["storage", "cost", "--prices", "prices.json", "--json"]);
    const { lines } = JSON.parse(stdout) as Told;
    // A dollar a byte.
    expect(lines[0]?.usd).toBe(200_000);
    expect(lines[3]).toMatchObject({ what: "backups kept by DynamoDB", usd: 28 });
    expect(stderr).toContain("the price of dynamodb.backup is of 2020-01-01, more than a year old");
    for (const [file, why] of [
      ["wrong.json", "prices.0.usd"],
      ["nowhere.json", "is not there"],
    ] as const) {
      const refused = await home.run(["storage", "cost", "--prices", file]);
      expect(refused.exitCode).toBe(2);
      expect(refused.stderr).toContain(why);
      expect(refused.stdout).toBe("");
    }
  });

  it("tells with --due what deleting what retention says is due would save, and deletes nothing", async () => {
    const key = "public/documents/user-2/cv/1 a.pdf";
    const deletedAt = testStart.toISOString();
    const entry = { id: "a", name: "a.pdf", type: "cv", s3Key: key, status: "DELETED", deletedAt };
    await home.look(async (aws) => {
      await putObject(aws, { bucket: documentBucket, key, body: Buffer.alloc(1000) });
      await putProfile(aws, "user-2", { documents: [{ ...entry, uploadedAt: deletedAt }] });
    });
    const due = ["storage", "cost", "--due", "--prices", "prices.json", "--json"];
    const rules = async () => {
      const { savings } = JSON.parse((await home.run(due)).stdout) as {
        savings: { what: string; usd: number }[];
      };
      return savings.filter(({ what }) => what.startsWith("deleting what is due"));
    };
    expect(await rules()).toEqual([]);
    home.laterMs = 40 * 86_400_000;
    expect(await rules()).toMatchObject([
      { what: "deleting what is due by the rule deleted-documents: 1 entry", usd: 1000 },
    ]);
    expect(await home.look((aws) => headObject(aws, { bucket: documentBucket, key }))).toBeDefined();
  });
});
