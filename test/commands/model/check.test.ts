import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { putObject } from "../../../src/aws/s3/objects.ts";
import { putHold } from "../../../src/audit/holds.ts";
import { ledgerEntry, writeErasure } from "../../../src/backup/erasures.ts";
import { shippedModels } from "../../../src/model/shipped.ts";
import { putWholeSite } from "../../support/whole-site.ts";
import { makeHome, type TestHome } from "../../support/world.ts";

let home: TestHome;

beforeAll(async () => {
  home = await makeHome();
  await putWholeSite(home);
});
afterAll(() => home.remove());

const lines = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("mawps model", () => {
  it("show breaks no word on a narrow terminal", async () => {
    const [narrow, wide] = [
      await home.run(["model", "show"], { columns: 60 }),
      await home.run(["model", "show"]),
    ];
    const words = (text: string) => text.split(/\s+/);
    expect(words(narrow.stdout)).toEqual(words(wide.stdout));
    const longer = narrow.stdout.split("\n").filter((line) => line.length > 60);
    expect(longer).toEqual([expect.stringMatching(/^ +[0-9a-f]{64}$/)]);
  });

  it("check --live takes its spinner away before it tells what it found", async () => {
    vi.stubEnv("CI", undefined).stubEnv("TERM", "xterm");
    const before: string[] = [];
    await home.run(["model", "check", "--live"], { columns: 80, onResult: (told) => before.push(told) });
    vi.unstubAllEnvs();
    const [first = ""] = before;
    const shown = "\u001B[?25h";
    expect(first).toContain("looking at everything");
    expect(first.lastIndexOf(shown)).toBeGreaterThan(first.lastIndexOf("looked at"));
    expect(before.at(-1)).toBe(first);
  });

  it.each(Object.keys(shippedModels))(
    "check finds nothing wrong with %s, and show tells all of it",
    async (name) => {
      const check = await home.run(["model", "check", name, "--json"]);
      expect([check.exitCode, check.stderr]).toEqual([0, ""]);
      const [checked] = lines(check.stdout);
      const show = await home.run(["model", "show", name, "--json"]);
      const [shown] = lines(show.stdout);
      const entities = shown?.["entities"] as { whose: string[]; order: number }[];
      expect(entities).toHaveLength(Number(checked?.["entities"]));
      expect(shown?.["hash"]).toBe(checked?.["hash"]);
      expect(entities.filter(({ whose }) => whose.length === 0)).toEqual([]);
      expect(entities.map(({ order }) => order).sort((one, other) => one - other)).toEqual(
        entities.map((_, at) => at + 1),
      );
      const graph = await home.run(["model", "graph", name]);
      expect(graph.stdout.match(/^ {4}\w+\["/gm)).toHaveLength(entities.length);
    },
  );

  it("check tells every fault of a file, each with its line and a remedy, and ends with 4", async () => {
    await mkdir(join(home.folder, "models"), { recursive: true });
    const file = join(home.folder, "models", "site.json");
    await writeFile(file, '{\n  "name": "Site",\n  "tabels": {}\n}\n');
    const { exitCode, stdout, stderr } = await home.run(["model", "check", "models/site.json"]);
    expect(exitCode).toBe(4);
    expect(stdout).toContain(`${file}:3: tabels is no key that is known here\n  did you mean "tables"?`);
    expect(stderr).toContain("6 faults in models/site.json");
  });

  it("check --live of a site that this tool has filled finds nothing that the model does not know", async () => {
    const { exitCode, stdout, stderr } = await home.run(["model", "check", "--live", "--json"]);
    const found = lines(stdout);
    expect(found.filter(({ entity, count }) => entity === null && count !== 0)).toEqual([]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const entities = new Set(found.map(({ entity }) => entity));
    for (const name of ["profiles", "documentFiles", "heroFiles", "twin"]) expect(entities).toContain(name);
  });

  it("check --live knows what mawps keeps of holds and erasures, and names what is there beside the site", async () => {
    const site = await home.copy();
    await site.look(async (aws, { tables }) => {
      const place = { aws, table: tables.auditLog };
      await putHold(place, {
        userId: "user-1",
        ids: ["user-1"],
        reason: "claim",
        salt: "00",
        at: new Date(0),
      });
      await writeErasure(ledgerEntry("user-9", "00", new Date(0)), place);
      await (await aws.s3()).send(new CreateBucketCommand({ Bucket: "another-site" }));
    });
    const { exitCode, stdout, stderr } = await site.run(["model", "check", "--live", "--json"]);
    await site.remove();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const found = lines(stdout);
    const table = "mawps-audit-log";
    for (const entity of ["holds", "erasures"])
      expect(found).toContainEqual({ store: "table", name: table, entity, count: 1 });
    expect(found.filter(({ unnamed }) => unnamed === true)).toEqual([
      { store: "bucket", name: "another-site", entity: null, count: 0, unnamed: true },
    ]);
  });

  it("check --live tells what it does not know with three samples that show nothing of what is in them", async () => {
    const strange = await home.copy();
    await strange.look(async (aws, config) => {
      const bucket = config.buckets.userFiles;
      for (const at of [1, 2, 3, 4])
        await putObject(aws, { bucket, key: `invoices/max-mustermann/${at}.pdf`, body: Buffer.from("x") });
      const dynamodb = await aws.dynamodb();
      await dynamodb.send(
        new PutItemCommand({
          TableName: config.tables.userProfiles,
          Item: { userId: { S: "api-settings#Max Mustermann" }, apiKey: { S: "sk-secret" } },
        }),
      );
    });
    const { exitCode, stdout, stderr } = await strange.run(["model", "check", "--live"]);
    await strange.remove();
    expect(exitCode).toBe(4);
    expect(stdout).toContain(
      "4 of no entity, such as\n  invoices/(14)/(1).pdf\n  invoices/(14)/(1).pdf\n  invoices/(14)/(1).pdf\n",
    );
    expect(stdout).toMatch(/siteSettings, 1$/m);
    expect(stdout + stderr).not.toMatch(/mustermann|sk-secret/i);
    expect(stderr).toContain("4 that the model of MAWPS does not know");
  });
});
