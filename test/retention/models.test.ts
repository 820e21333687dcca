import {
  DeleteTableCommand,
  PutItemCommand,
  UpdateTableCommand,
  type ScanCommandInput,
} from "@aws-sdk/client-dynamodb";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import prework from "../../models/prework.json" with { type: "json" };
import { localTime } from "../../src/output/dates.ts";
import { typed } from "../../src/aws/dynamodb/plain.ts";
import { modelSite } from "../support/model-site.ts";
import { makeHome, testStart, type TestHome } from "../support/world.ts";
import { dayMs, lines } from "./stored.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});
afterEach(() => home.remove());

const isEmpty = (list: unknown) => Array.isArray(list) && list.length === 0;
const day = (days: number) => new Date(testStart.getTime() + days * dayMs).toISOString();

describe("retention of prework", () => {
  const bucket = "prework-media-bucket";
  const table = "prework-files";
  const upload = (name: string, user = "u-1") => `users/${user}/uploads/2026/03/${name}`;
  const temp = (name: string) => `users/u-1/uploads/temp/${name}.tmp`;
  const row = (id: string, fields: Record<string, unknown>) => ({
    id,
    originalName: `${id}.pdf`,
    s3Key: upload(`${id}.pdf`),
    uploadedBy: "u-1",
    createdAt: day(0),
    status: "READY",
    ...fields,
  });
  const deleted = { status: "DELETED", deletedAt: day(0) };

  it("does what the rules say, in rows and in all versions of files, and nothing besides", async () => {
    const site = modelSite(home, "prework");
    const rows = [
      row("deleted", deleted),
      row("deleted-lately", { ...deleted, deletedAt: day(35) }),
      row("restored-meanwhile", deleted),
      row("held", { ...deleted, legalHold: "case 7" }),
      row("never", { status: "DELETED" }),
      row("expired", { expiresAt: day(1) }),
      row("kept", { expiresAt: day(400) }),
      row("half", { status: "UPLOADING" }),
      row("half-in-temp", { status: "SCANNING", s3Key: temp("half") }),
      row("shared", { ...deleted, s3Key: upload("kept.pdf") }),
      row("of-others", { ...deleted, s3Key: upload("of-others.pdf", "u-2") }),
      row("foreign", { ...deleted, s3Key: "secrets/plan.pdf" }),
      row("live-temp", { s3Key: temp("named") }),
      row("without-file", { ...deleted, s3Key: "" }),
    ];
    await site.put(table, rows);
    const files = [
      ...["deleted", "deleted-lately", "restored-meanwhile", "held", "never", "expired", "kept", "half"].map(
        (name) => upload(`${name}.pdf`),
      ),
      upload("of-others.pdf", "u-2"),
      ...["half", "named", "alone"].map(temp),
      "users/u-1/exports/checklist-2026-03-01.pdf",
      "users/u-1/profiles/p-1/avatar.jpg",
      "secrets/plan.pdf",
      "foreign",
    ];
    await site.putFiles(bucket, files);
    await site.putFiles(bucket, [upload("deleted.pdf")]);
    await site.removeFile(bucket, upload("deleted.pdf"));
    await site.put("prework-audit-logs", [
      { id: "over", userId: "u-1", timestamp: day(0), ttl: testStart.getTime() / 1000 + 3600 },
      { id: "on", userId: "u-1", timestamp: day(0), ttl: testStart.getTime() / 1000 + 400 * 86_400 },
    ]);
    home.laterMs = 40 * dayMs;
    await site.putFiles(bucket, [temp("young"), "users/u-1/exports/checklist-2026-04-09.pdf"]);

    const plan = join(home.folder, "plan.json");
    const planned = await site.run("retention", "plan", "--output", plan, "--json");
    expect([planned.exitCode, planned.stderr]).toEqual([0, ""]);
    const told = lines(planned.stdout).map((due) => {
      const item = due["item"] as Record<string, unknown> | undefined;
      return [due["rule"], due["action"], String(item?.["id"] ?? due["key"])].join(" ");
    });
    expect(told.toSorted()).toEqual(
      [
        "deleted-documents purge deleted",
        "deleted-documents purge restored-meanwhile",
        "deleted-documents purge shared",
        "deleted-documents purge without-file",
        "deleted-documents keep held",
        "deleted-documents keep never",
        "deleted-documents keep of-others",
        "deleted-documents keep foreign",
        "expired-documents soft-delete expired",
        "half-done-uploads purge half",
        "half-done-uploads purge half-in-temp",
        `temp-uploads purge ${temp("alone")}`,
        "exports purge users/u-1/exports/checklist-2026-03-01.pdf",
        "site-audit-entries expire over",
      ].toSorted(),
    );

    await site.put(table, [row("restored-meanwhile", {})]);
    const run = await site.run("retention", "run", plan, "--yes", "--json");
    expect(run.exitCode).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({
      done: 8,
      gone: 0,
      failed: [],
      skipped: [{ item: { id: "restored-meanwhile" } }],
    });

    const gone = new Set(["deleted", "half", "half-in-temp", "shared", "without-file"]);
    const after = await site.rows(table);
    const staying = rows.filter(({ id }) => !gone.has(id));
    expect(await site.column(table, "id")).toEqual(staying.map(({ id }) => id).toSorted());
    const expired = after.find(({ id }) => id === "expired");
    expect(expired).toMatchObject({
      status: "DELETED",
      deletedBy: "retention",
      s3Key: upload("expired.pdf"),
    });
    expect(expired?.["deletedAt"]).toMatch(/^2026-04-10T/);
    expect(after.filter(({ id }) => id !== "expired" && id !== "restored-meanwhile")).toEqual(
      expect.arrayContaining(staying.filter(({ id }) => id !== "expired" && id !== "restored-meanwhile")),
    );
    const purged = new Set([
      upload("deleted.pdf"),
      upload("half.pdf"),
      temp("half"),
      temp("alone"),
      "users/u-1/exports/checklist-2026-03-01.pdf",
    ]);
    expect(await site.left(bucket)).toEqual(
      [
        ...files.filter((key) => !purged.has(key)),
        temp("young"),
        "users/u-1/exports/checklist-2026-04-09.pdf",
      ].toSorted(),
    );
    expect(await site.rows("prework-audit-logs")).toHaveLength(2);

    const trail = await site.run("audit", "list", "--json");
    expect(lines(trail.stdout).map(({ action }) => action)).toEqual(
      expect.arrayContaining(["document.purged", "document.deleted", "object.purged"]),
    );
    const again = await site.run("retention", "run", plan, "--yes", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ done: 0, gone: 7 });
  });

  it("reads and writes times as the model says that they are kept, and leaves alone what is none", async () => {
    const { files } = prework.entities;
    const times = { deletedAt: "epochSeconds", expiresAt: "epochMs", uploadUntil: "epochSeconds" };
    const entities = { ...prework.entities, files: { ...files, fields: { ...files.fields, ...times } } };
    await writeFile(join(home.folder, "own.model.json"), JSON.stringify({ ...prework, entities }));
    const site = modelSite(home, "own.model.json");
    const second = testStart.getTime() / 1000;
    const rows = [
      row("expired", { expiresAt: testStart.getTime() + dayMs }),
      row("expires-as-text", { expiresAt: day(1) }),
      row("kept", { expiresAt: testStart.getTime() + 400 * dayMs }),
      row("deleted", { status: "DELETED", deletedAt: second }),
      row("deleted-as-text", deleted),
      row("comes", { status: "UPLOADING", uploadUntil: second + 41 * 86_400 }),
      row("comes-as-text", { status: "UPLOADING", uploadUntil: day(41) }),
      row("never-came", { status: "UPLOADING", uploadUntil: second + 86_400 }),
    ];
    await site.put(table, rows);
    home.laterMs = 40 * dayMs;
    const planned = await site.run("retention", "plan", "--json");
    const told = lines(planned.stdout).map((due) => {
      const { id } = due["item"] as { id: string };
      return `${String(due["action"])} ${id}${due["action"] === "keep" ? `: ${String(due["reason"])}` : ""}`;
    });
    const unknown = "since when is not known";
    expect(told.toSorted()).toEqual([
      `keep comes-as-text: until when its file may come is not known: uploadUntil is "${day(41)}", which is no time`,
      `keep deleted-as-text: ${unknown}: deletedAt is "${day(0)}", which is no time`,
      `keep expires-as-text: ${unknown}: expiresAt is "${day(1)}", which is no time`,
      "purge deleted",
      "purge never-came",
      "soft-delete expired",
    ]);
    const run = await site.run("retention", "run", "--yes", "--json");
    expect(JSON.parse(run.stdout)).toMatchObject({ done: 3, skipped: [], failed: [] });
    const after = await site.rows(table);
    const expired = after.find(({ id }) => id === "expired");
    const { deletedAt } = expired ?? {};
    expect(expired).toEqual({ ...rows[0], status: "DELETED", deletedAt, deletedBy: "retention" });
    const marked = Number(deletedAt) - second;
    expect([Number.isInteger(deletedAt), Math.floor(marked / 86_400)]).toEqual([true, 40]);
    const gone = new Set(["expired", "deleted", "never-came"]);
    expect(after).toHaveLength(6);
    expect(after).toEqual(expect.arrayContaining(rows.filter(({ id }) => !gone.has(id))));
  });

  it("looks ahead, and keeps no plan of that", async () => {
    const site = modelSite(home, "prework");
    const rows = [
      row("ends", { expiresAt: day(10) }),
      row("ends-later", { expiresAt: day(40) }),
      row("deleted", deleted),
      row("held", { ...deleted, legalHold: "case 7" }),
    ];
    await site.put(table, rows);
    await site.putFiles(bucket, [upload("deleted.pdf"), temp("alone")]);
    const due = async (...argv: string[]) => {
      const planned = await site.run("retention", "plan", "--json", ...argv);
      expect([planned.exitCode, planned.stderr]).toEqual([0, ""]);
      return lines(planned.stdout).map(({ action, key, item }) => {
        const { id = key } = (item ?? {}) as { id?: unknown };
        return `${String(action)} ${String(id)}`;
      });
    };
    expect(await due()).toEqual([]);
    const none = await site.run("retention", "plan", "--until", "2026-03-01T18:00:00Z");
    expect([none.stdout, none.stderr]).toEqual([
      "nothing is due\n",
      expect.stringContaining("that is until 2026-"),
    ]);
    const byThen = [`purge ${temp("alone")}`, "soft-delete ends"];
    expect((await due("--until", "11d")).toSorted()).toEqual(byThen);
    const kept = ["keep held", "purge deleted", ...byThen];
    expect((await due("--until", "2026-04-05")).toSorted()).toEqual(kept.toSorted());
    const ahead = await site.run("retention", "plan", "--until", "2026-04-05T10:00:00Z");
    expect(ahead.stderr).toContain(`due by ${localTime(new Date("2026-04-05T10:00:00Z"))}, as things stand`);
    const marked = await site.run("retention", "plan", "--json", "--until", "2026-04-15");
    const reasons = lines(marked.stdout).flatMap(({ action, reason }) =>
      action === "soft-delete" ? reason : [],
    );
    expect(reasons).toHaveLength(2);
    expect(reasons).toEqual(
      expect.arrayContaining([
        "expiresAt is 2026-03-11; purged from 2026-04-10 on",
        "expiresAt is 2026-04-10",
      ]),
    );
    const calls = home.calls.length;
    for (const argv of [
      ["--until", "2026-02-01"],
      ["--until", "11d", "--output", "plan.json"],
    ]) {
      const refused = await site.run("retention", "plan", ...argv);
      expect([refused.exitCode, refused.stdout]).toEqual([2, ""]);
    }
    expect(home.calls.length).toBe(calls);
    expect(await readdir(home.folder)).not.toContain("plan.json");
    expect(await site.rows(table)).toHaveLength(4);
    expect(await site.left(bucket)).toHaveLength(2);
  });

  it("goes by the settings, and by no plan of another model", async () => {
    const site = modelSite(home, "prework", { MAWPS_RETENTION_EXPORTS: "off" });
    await site.putFiles(bucket, ["users/u-1/exports/checklist-2026-03-01.pdf", temp("alone")]);
    home.laterMs = 40 * dayMs;
    const plan = join(home.folder, "plan.json");
    const planned = await site.run("retention", "plan", "--output", plan, "--json");
    expect(lines(planned.stdout).map(({ rule }) => rule)).toEqual(["temp-uploads"]);

    const changed = {
      ...prework,
      entities: { ...prework.entities, exportFiles: { ...prework.entities.exportFiles, what: "exports" } },
    };
    await writeFile(join(home.folder, "changed.model.json"), JSON.stringify(changed));
    for (const model of ["changed.model.json", "prework-guide"]) {
      const other = modelSite(home, model, { MAWPS_RETENTION_EXPORTS: "off" });
      const refused = await other.run("retention", "run", plan, "--yes");
      expect(refused.exitCode).toBe(1);
      expect(refused.stderr).toMatch(/was made for another environment: .*model prework@\w+, here prework/);
      expect(refused.stderr).not.toContain("tables.users");
    }
    expect(await site.left(bucket)).toHaveLength(2);
  });
});

describe("files that entries name", () => {
  const bucket = "prework-media-bucket";
  const upload = (name: string) => `users/u-1/uploads/2026/03/${name}.pdf`;
  const temp = (name: string) => `users/u-1/uploads/temp/${name}.tmp`;
  const exported = (name: string) => `users/u-1/exports/checklist-${name}.pdf`;
  const deletedRow = (id: string) => ({
    id,
    s3Key: upload(id),
    uploadedBy: "u-1",
    createdAt: day(0),
    status: "DELETED",
    deletedAt: day(0),
  });
  const ownModel = async (changed: object) => {
    await writeFile(join(home.folder, "own.model.json"), JSON.stringify({ ...prework, ...changed }));
    return "own.model.json";
  };

  it("stay, whichever field names them, and nothing goes without the table of those entries", async () => {
    const { profiles } = prework.entities;
    const refs = { avatar: "object:profileFiles", pdf: "object:exportFiles", more: "object:exportFiles" };
    const fields = { ...profiles.fields, avatar: "text", pdf: "text", more: "list" };
    const entities = { ...prework.entities, profiles: { ...profiles, fields, refs } };
    const model = await ownModel({ entities });
    const site = modelSite(home, model);
    const names = ["one", "two", "three", "none"];
    await site.putFiles(bucket, [...names.map(exported), temp("named"), temp("none"), upload("shared")]);
    await site.put("prework-user-profiles", [
      { id: "p-1", userId: "u-1", avatar: temp("named"), pdf: exported("one") },
      { id: "p-2", userId: "u-1", avatar: upload("shared"), more: [exported("two"), exported("three")] },
    ]);
    await site.put("prework-files", [deletedRow("shared")]);
    home.laterMs = 40 * dayMs;
    const run = await site.run("retention", "run", "--yes", "--json");
    expect(JSON.parse(run.stdout)).toMatchObject({ done: 3, skipped: [], failed: [] });
    const named = [exported("one"), exported("two"), exported("three"), temp("named"), upload("shared")];
    expect(await site.left(bucket)).toEqual(named.toSorted());
    expect(await site.rows("prework-files")).toEqual([]);

    await site.putFiles(bucket, [exported("none")]);
    home.laterMs = 80 * dayMs;
    await site.look(async (aws) => {
      const dynamodb = await aws.dynamodb();
      const TableName = "prework-user-profiles";
      await dynamodb.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
      await dynamodb.send(new DeleteTableCommand({ TableName }));
    });
    const refused = await site.run("retention", "run", "--yes");
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("table prework-user-profiles does not exist");
    expect(await site.left(bucket)).toEqual([...named, exported("none")].toSorted());
  });

  it.each([
    ["restored", "prework-files", { status: "READY" }],
    ["put under a legal hold", "prework-files", { legalHold: "case 7" }],
    ["put under a legal hold in another table", "prework-user-profiles", { legalHold: "case 7" }],
  ])("stay where one of two that were to go is %s after the run has begun", async (_, table, change) => {
    const { files, profiles, ...others } = prework.entities;
    const rule = { id: "old-profiles", what: "profiles", after: 3, since: "createdAt" };
    const expires = [{ ...rule, do: "delete", by: "run" }];
    const refs = { pdf: "object:uploadFiles" };
    const named = { ...profiles, fields: { ...profiles.fields, pdf: "text" }, refs, expires };
    // The tables are read in this order.
    const site = modelSite(home, await ownModel({ entities: { files, profiles: named, ...others } }));
    const shared = upload("shared");
    const rows = ["one", "two"].map((id) => ({ ...deletedRow(id), s3Key: shared }));
    const beside =
      table === "prework-files" ? [] : [{ id: "two", userId: "u-1", pdf: shared, createdAt: day(0) }];
    await site.putFiles(bucket, [shared, upload("alone")]);
    await site.put("prework-files", [deletedRow("alone"), ...rows.slice(beside.length)]);
    await site.put("prework-user-profiles", beside);
    home.laterMs = 40 * dayMs;
    const plan = join(home.folder, "plan.json");
    const planned = await site.run("retention", "plan", "--output", plan, "--json");
    // The file goes with the first of the two.
    const due = lines(planned.stdout).find(({ key, versions }) => key === shared && isEmpty(versions));
    expect(due).toMatchObject({ table, action: "purge" });
    const id = (due?.["item"] as { id: string } | undefined)?.id;
    const changed = { ...[...beside, ...rows].find((each) => each.id === id), ...change };
    // Between the reading of what names the files of the plan, and that of its rows.
    let isRead = false;
    home.beforeCall = async (command, input, aws) => {
      const { TableName } = input as ScanCommandInput;
      if (isRead && TableName !== table) {
        isRead = false;
        const Item = typed(changed).M ?? {};
        await (await aws.dynamodb()).send(new PutItemCommand({ TableName: table, Item }));
      }
      isRead ||= command === "ScanCommand" && TableName === table;
    };
    const run = await site.run("retention", "run", plan, "--yes", "--json");
    home.beforeCall = undefined;
    expect(JSON.parse(run.stdout)).toMatchObject({ done: 2, skipped: [{ item: { id } }], failed: [] });
    expect(await site.rows(table)).toEqual([changed]);
    expect(await site.left(bucket)).toEqual([shared]);
  });

  it("go with their entries where table and bucket have one name", async () => {
    const site = modelSite(home, "prework", { MAWPS_MEDIA_BUCKET: "prework-files" });
    await site.put("prework-files", [{ ...deletedRow("without"), s3Key: "" }, deletedRow("with")]);
    await site.putFiles("prework-files", [upload("with"), upload("other")]);
    home.laterMs = 40 * dayMs;
    const run = await site.run("retention", "run", "--yes", "--json");
    expect(JSON.parse(run.stdout)).toMatchObject({ done: 2, skipped: [], failed: [] });
    expect(await site.rows("prework-files")).toEqual([]);
    expect(await site.left("prework-files")).toEqual([upload("other")]);
  });

  it("go with their entries where another of these names one in another bucket meanwhile", async () => {
    const { buckets, entities } = prework;
    const key = "users/{userId}/archive/{name}";
    const archiveFiles = { ...entities.uploadFiles, from: { bucket: "archive" }, key };
    const files = { ...entities.files, refs: { s3Key: ["object:uploadFiles", "object:archiveFiles"] } };
    const model = await ownModel({
      buckets: { ...buckets, archive: { name: "prework-archive", access: "private" } },
      entities: { ...entities, archiveFiles, files },
    });
    const site = modelSite(home, model);
    await site.put("prework-files", ["a", "b"].map(deletedRow));
    await site.putFiles(bucket, ["a", "b"].map(upload));
    home.laterMs = 40 * dayMs;
    const plan = join(home.folder, "plan.json");
    const planned = await site.run("retention", "plan", "--output", plan, "--json");
    const ids = lines(planned.stdout).map(({ item }) => (item as { id: string }).id);
    expect(new Set(ids)).toEqual(new Set(["a", "b"]));
    const [first = ""] = ids;
    const moved = { ...deletedRow(first), s3Key: "users/u-1/archive/moved.pdf" };
    await site.put("prework-files", [moved]);
    const run = await site.run("retention", "run", plan, "--yes", "--json");
    expect(JSON.parse(run.stdout)).toMatchObject({ done: 1, skipped: [{ item: { id: first } }], failed: [] });
    expect(await site.rows("prework-files")).toEqual([moved]);
    expect(await site.left(bucket)).toEqual([upload(first)]);
  });
});

describe("a rule that keeps the newest", () => {
  it("counts each owner's apart, and looks again before it deletes", async () => {
    const { profiles } = prework.entities;
    const rule = { id: "old-profiles", what: "profiles", after: 3, keepNewest: 2, since: "createdAt" };
    const expires = [{ ...rule, do: "delete", by: "run" }];
    const model = { ...prework, entities: { ...prework.entities, profiles: { ...profiles, expires } } };
    await writeFile(join(home.folder, "own.model.json"), JSON.stringify(model));
    const site = modelSite(home, "own.model.json");
    const profile = (id: string, userId: string, since: number) => ({ id, userId, createdAt: day(since) });
    const rows = [
      ...[0, 1, 2, 9, 10].map((since) => profile(`one-${since}`, "u-1", since)),
      ...[0, 1, 10].map((since) => profile(`two-${since}`, "u-2", since)),
    ];
    await site.put("prework-user-profiles", rows);
    home.laterMs = 11 * dayMs;
    const plan = join(home.folder, "plan.json");
    const planned = await site.run("retention", "plan", "--output", plan, "--json");
    expect(lines(planned.stdout).map(({ item }) => (item as { id: string }).id)).toEqual([
      "one-2",
      "one-1",
      "one-0",
      "two-0",
    ]);
    await site.put("prework-user-profiles", [profile("one-10", "u-3", 10)]);
    const run = await site.run("retention", "run", plan, "--yes", "--json");
    expect(JSON.parse(run.stdout)).toMatchObject({ done: 3, skipped: [{ item: { id: "one-2" } }] });
    expect(await site.column("prework-user-profiles", "id")).toEqual([
      "one-10",
      "one-2",
      "one-9",
      "two-1",
      "two-10",
    ]);
  });
});

describe("retention of prework-guide", () => {
  const bucket = "pre-work-media-uploads";
  const table = "pre-work-media";
  const file = (name: string) => `submissions/s-1/u-1/${name}.pdf`;
  const row = (id: string, fields: Record<string, unknown>) => ({
    PK: `MEDIA#${id}`,
    SK: "METADATA",
    GSI1PK: "USER#u-1",
    GSI1SK: `MEDIA#${id}`,
    fileName: `${id}.pdf`,
    s3Key: file(id),
    createdAt: day(0),
    uploadStatus: "completed",
    ...fields,
  });
  const deleted = { uploadStatus: "deleted", deletedAt: day(0) };

  it("finds what is due by composite keys and the site's own words", async () => {
    const site = modelSite(home, "prework-guide");
    const unknown = { PK: "NOTE#1", SK: "METADATA", uploadStatus: "deleted", deletedAt: day(0) };
    await site.put(table, [
      row("deleted", deleted),
      row("pending", { uploadStatus: "pending" }),
      row("completed", {}),
      row("of-team", { ...deleted, s3Key: "users/teams/t-1/shared/of-team.pdf" }),
      row("changed", deleted),
      unknown,
    ]);
    await site.put("pre-work-audit-log", [
      { PK: "AUDIT#team#t-1", SK: `TIMESTAMP#${day(-3000)}#e-1`, GSI1PK: "USER#u-1", action: "made" },
      { PK: "AUDIT#team#t-1", SK: `TIMESTAMP#${day(0)}#e-2`, GSI1PK: "USER#u-1", action: "made" },
    ]);
    const session = { PK: "SESSION#list#l-1", startedAt: day(0) };
    await site.put("pre-work-sessions", [
      { ...session, SK: "USER#u-1", ttl: testStart.getTime() / 1000 + 86_400 },
      { ...session, SK: "USER#u-2" },
    ]);
    const files = ["deleted", "pending", "completed", "changed"].map(file);
    await site.putFiles(bucket, [...files, "users/teams/t-1/shared/of-team.pdf", "stray.txt"]);
    home.laterMs = 40 * dayMs;

    const plan = join(home.folder, "plan.json");
    const planned = await site.run("retention", "plan", "--output", plan, "--json");
    expect([planned.exitCode, planned.stderr]).toEqual([0, ""]);
    const told = lines(planned.stdout).map((due) => {
      const { PK, SK } = due["item"] as Record<string, unknown>;
      return [due["rule"], due["action"], PK, SK].join(" ");
    });
    expect(told.toSorted()).toEqual([
      "deleted-documents keep MEDIA#of-team METADATA",
      "deleted-documents purge MEDIA#changed METADATA",
      "deleted-documents purge MEDIA#deleted METADATA",
      "half-done-uploads purge MEDIA#pending METADATA",
      "sessions expire SESSION#list#l-1 USER#u-1",
      "sessions keep SESSION#list#l-1 USER#u-2",
      `site-audit-entries purge AUDIT#team#t-1 TIMESTAMP#${day(-3000)}#e-1`,
    ]);

    await site.put(table, [row("changed", { ...deleted, deletedAt: day(39) })]);
    await site.putFiles(bucket, [file("pending")]);
    const run = await site.run("retention", "run", plan, "--yes", "--json");
    expect(run.exitCode).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ done: 2, gone: 0, failed: [], skipped: [{}, {}] });
    expect(await site.column(table, "PK")).toEqual([
      "MEDIA#changed",
      "MEDIA#completed",
      "MEDIA#of-team",
      "MEDIA#pending",
      "NOTE#1",
    ]);
    expect(await site.left(bucket)).toEqual(
      [
        ...["changed", "completed", "pending", "pending"].map(file),
        "stray.txt",
        "users/teams/t-1/shared/of-team.pdf",
      ].toSorted(),
    );
    expect(await site.column("pre-work-audit-log", "SK")).toEqual([`TIMESTAMP#${day(0)}#e-2`]);
    expect(await site.rows("pre-work-sessions")).toHaveLength(2);
  });
});

it.each([
  ["nobody names", "", "put the URL into MAWPS_DATABASE_URL: mysql://"],
  ["is of another engine", "postgres://u@localhost:1/site", "MAWPS_DATABASE_URL is of a postgres"],
  [
    "has a database of too long a name",
    `mysql://u@localhost:1/${"n".repeat(64)}`,
    "is too long for the name",
  ],
])("is refused before anything is opened where the server of the rows %s", async (_which, url, told) => {
  const site = modelSite(home, "lopez", { MAWPS_DATABASE_URL: url });
  for (const argv of [["plan"], ["run", "--yes"]]) {
    const refused = await site.run("retention", ...argv);
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(told) });
    expect(refused.stderr).not.toContain(home.folder);
  }
  expect(home.calls).toEqual([]);
  expect(await readdir(home.folder)).toEqual([]);
});

describe("parts of items", () => {
  const bucket = "prework-media-bucket";
  const profiles = "prework-user-profiles";
  const upload = (name: string, user = "u-1") => `users/${user}/uploads/2026/03/${name}.pdf`;
  const deleted = { status: "DELETED", deletedAt: day(0) };
  const part = (name: string, fields: Record<string, unknown> = deleted) => ({
    name,
    s3Key: upload(name),
    ...fields,
  });
  const partsOf = async (site: ReturnType<typeof modelSite>) =>
    Object.fromEntries((await site.rows(profiles)).map((row) => [row["id"], row["attachments"]]));

  it("go by rules of their own, with their files, and leave what is beside them", async () => {
    const { find } = prework.entities.profiles.links[0] ?? {};
    const attachments = {
      what: "files of a profile",
      from: { table: "userProfiles" },
      at: "attachments[]",
      fields: { name: "text", s3Key: "text", status: "text", deletedAt: "isoTime" },
      refs: { s3Key: "object:uploadFiles" },
      links: [{ subject: "user", role: "subject", by: "userId", find, erase: "delete" }],
      expires: [
        {
          id: "old-attachments",
          what: "deleted files of a profile",
          after: 30,
          since: "deletedAt",
          when: { status: "DELETED" },
          do: "delete",
          by: "run",
        },
      ],
    };
    const entities = { ...prework.entities, attachments };
    await writeFile(join(home.folder, "own.model.json"), JSON.stringify({ ...prework, entities }));
    const site = modelSite(home, "own.model.json");
    const mine = [
      part("first"),
      part("live", { status: "READY" }),
      "no part",
      part("last"),
      part("restored"),
      part("held", { ...deleted, legalHold: "case 7" }),
      part("of-others", { ...deleted, s3Key: upload("of-others", "u-2") }),
      part("named"),
    ];
    const items = [
      { id: "p-1", userId: "u-1", name: "Max", attachments: mine },
      { id: "p-2", userId: "u-1", legalHold: "case 8", attachments: [part("of-held-item")] },
      { id: "p-3", userId: "u-1", attachments: { no: "list" } },
    ];
    await site.put(profiles, items);
    const files = [
      ...mine.flatMap((each) => (typeof each === "string" ? [] : [each.s3Key])),
      upload("of-held-item"),
    ];
    await site.putFiles(bucket, files);
    await site.put("prework-files", [
      { id: "d-1", s3Key: upload("named"), uploadedBy: "u-1", createdAt: day(0), status: "READY" },
    ]);
    home.laterMs = 40 * dayMs;
    const plan = join(home.folder, "plan.json");
    const planned = await site.run("retention", "plan", "--output", plan, "--json");
    expect([planned.exitCode, planned.stderr]).toEqual([0, ""]);
    const told = lines(planned.stdout).map(({ action, key, userId }) => [action, key, userId].join(" "));
    expect(told.toSorted()).toEqual(
      [
        ...["first", "last", "restored", "named"].map((name) => `purge ${upload(name)} u-1`),
        "keep  u-1",
        "keep  u-1",
        `keep ${upload("of-others", "u-2")} u-1`,
      ].toSorted(),
    );
    const restored = part("restored", { status: "READY" });
    const meanwhile = mine.map((each) =>
      typeof each === "object" && each.name === "restored" ? restored : each,
    );
    await site.put(profiles, [{ ...items[0], attachments: meanwhile }]);
    const run = await site.run("retention", "run", plan, "--yes", "--json");
    expect(run.exitCode).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({
      done: 3,
      failed: [],
      skipped: [{ why: "its entry is gone, its file is not" }],
    });
    expect(await partsOf(site)).toEqual({
      "p-1": [mine[1], "no part", restored, mine[5], mine[6]],
      "p-2": [part("of-held-item")],
      "p-3": { no: "list" },
    });
    expect(await site.left(bucket)).toEqual(
      files.filter((key) => key !== upload("first") && key !== upload("last")).toSorted(),
    );
  });
});
