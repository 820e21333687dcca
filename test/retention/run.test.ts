import { listeningAudit } from "../support/audit.ts";
import { CreateTableCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { PutBucketPolicyCommand } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tableShape } from "../../src/aws/dynamodb/items.ts";
import { listVersions } from "../../src/aws/s3/listing.ts";
import { putObject } from "../../src/aws/s3/objects.ts";
import { typed } from "../../src/aws/dynamodb/plain.ts";
import { stoppable } from "../../src/concurrency.ts";
import { readDocuments } from "../../src/documents/entries.ts";
import type { DocumentSite } from "../../src/documents/site.ts";
import type { AuditEvent } from "../../src/model/audit.ts";
import { defaultNames, mawps, mawpsModel } from "../../src/model/mawps.ts";
import { planRetention } from "../../src/retention/plan.ts";
import type { PlanEntry } from "../../src/retention/plan-entry.ts";
import { carryOut, type RunOptions } from "../../src/retention/run.ts";
import { retentionOf, type ProfileSite } from "../../src/retention/site.ts";
import { openLocalAws, type LocalAws } from "../support/local-aws.ts";

let local: LocalAws;
let events: AuditEvent[];

beforeEach(async () => {
  local = await openLocalAws();
  events = [];
  const dynamodb = await local.aws.dynamodb();
  await dynamodb.send(
    new CreateTableCommand({
      TableName: "profiles",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "userId", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "userId", KeyType: "HASH" }],
    }),
  );
});

afterEach(() => local.close());

const month = 31 * 86_400_000;

/** A site on a bucket with or without versions, seen `laterMs` from now by both clocks. */
async function siteOn(
  bucket: "plain" | "versioned",
  signal = stoppable(undefined).signal,
): Promise<ProfileSite> {
  const names = {
    ...defaultNames,
    buckets: {
      ...defaultNames.buckets,
      publicMedia: bucket === "plain" ? "versioned" : "plain",
      userFiles: bucket,
    },
    tables: { ...defaultNames.tables, userProfiles: "profiles" },
  };
  const documents: DocumentSite = {
    aws: local.aws,
    bucket,
    table: "profiles",
    shape: await tableShape(local.aws, "profiles"),
    uploadsBucket: "mawps-profile-images",
    apiTable: "mawps-user-documents",
    ownTable: "mawps-migrations",
    userPoolId: undefined,
    now: () => new Date(),
    signal,
  };
  const trail = { aws: local.aws, table: "mawps-audit-log", bucket };
  const { aws, now } = documents;
  const opened = { aws, now, signal, databases: [], model: mawpsModel, declaration: mawps(names) };
  const site = await retentionOf(opened, { documents, proofs: { trail, places: {} } });
  return { ...site, rules: { ...site.rules, at: new Date(site.rules.at.getTime() + month) } };
}

async function putDeleted(bucket: string, userId: string, ids: readonly string[]): Promise<string[]> {
  const deletedAt = new Date().toISOString();
  const documents = ids.map((id) => ({
    id,
    s3Key: `public/documents/${userId}/cv/1700000000000-${id}.pdf`,
    status: "DELETED",
    deletedAt,
  }));
  const dynamodb = await local.aws.dynamodb();
  const Item = typed({ userId, documents }).M ?? {};
  await dynamodb.send(new PutItemCommand({ TableName: "profiles", Item }));
  for (const { s3Key } of documents) {
    await putObject(local.aws, { bucket, key: s3Key, body: Buffer.from("bytes") });
  }
  return documents.map(({ s3Key }) => s3Key);
}

async function left(bucket: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of listVersions(local.aws, { bucket })) keys.push(...page.map(({ key }) => key));
  return keys;
}

async function entriesOf(site: ProfileSite, userId: string): Promise<string[]> {
  return (await readDocuments(site.documents, userId)).entries.map(({ document }) => document.id);
}

function options(more: Partial<RunOptions> = {}): RunOptions {
  return {
    dryRun: false,
    audit: listeningAudit((told) => events.push(...told)),
    onDone: () => {},
    ...more,
  };
}

/** Counts the calls that delete objects. */
async function countDeletions(): Promise<{ calls: number }> {
  const counted = { calls: 0 };
  const s3 = await local.aws.s3();
  s3.middlewareStack.add(
    (next, context) => (args) => {
      if (String(context["commandName"]).startsWith("DeleteObject")) counted.calls += 1;
      return next(args);
    },
    { step: "initialize", name: "counted" },
  );
  return counted;
}

async function collected(site: ProfileSite): Promise<PlanEntry[]> {
  const entries: PlanEntry[] = [];
  for await (const entry of planRetention(site)) entries.push(entry);
  return entries;
}

async function* given(entries: readonly PlanEntry[]): AsyncGenerator<PlanEntry> {
  yield* entries;
}

describe.each(["plain", "versioned"] as const)("a run on a %s bucket", (bucket) => {
  it("deletes a thousand a call, and tells the trail before and after", async () => {
    for (let user = 0; user < 3; user++) {
      const ids = Array.from({ length: 400 }, (_, n) => `d${n}`);
      await putDeleted(bucket, `user-${user}`, ids);
    }
    const site = await siteOn(bucket);
    const counted = await countDeletions();
    const outcome = await carryOut(site, () => planRetention(site), options());
    expect(outcome).toMatchObject({ done: 1200, gone: 0, skipped: [], failures: [] });
    expect(counted.calls).toBe(2);
    expect(await left(bucket)).toEqual([]);
    expect(await entriesOf(site, "user-1")).toEqual([]);
    const told = (phase: string) =>
      events
        .filter(({ details }) => details?.phase === phase)
        .flatMap(({ userId, details }) => (details?.documentIds ?? []).map((id) => `${userId} ${id}`));
    expect(told("begun")).toHaveLength(1200);
    expect(new Set(told("done"))).toEqual(new Set(told("begun")));
  });

  it("keeps the entry of an object that S3 will not delete, and tells of it", async () => {
    const [kept = ""] = await putDeleted(bucket, "user-1", ["kept", "gone"]);
    const s3 = await local.aws.s3();
    const action = bucket === "plain" ? "s3:DeleteObject" : "s3:DeleteObjectVersion";
    const statement = {
      Effect: "Deny",
      Principal: "*",
      Action: action,
      Resource: `arn:aws:s3:::${bucket}/${kept}`,
    };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    const site = await siteOn(bucket);
    const outcome = await carryOut(site, () => planRetention(site), options());
    expect(outcome.done).toBe(1);
    expect(outcome.failures).toMatchObject([
      { due: { key: kept }, why: expect.stringMatching(/^AccessDenied: /) },
    ]);
    expect(await left(bucket)).toEqual([kept]);
    expect(await entriesOf(site, "user-1")).toEqual(["kept"]);
    expect(events.at(-1)).toMatchObject({
      action: "document.purged",
      details: { phase: "failed", documentIds: ["kept"] },
    });
  });

  it("stops before the first deletion when the trail refuses", async () => {
    const keys = await putDeleted(bucket, "user-1", ["a"]);
    const site = await siteOn(bucket);
    const audit = listeningAudit(() => Promise.reject(new Error("the trail refuses")));
    await expect(carryOut(site, () => planRetention(site), options({ audit }))).rejects.toThrow(
      "the trail refuses",
    );
    expect(await left(bucket)).toEqual(keys);
    expect(await entriesOf(site, "user-1")).toEqual(["a"]);
  });

  it("is finished by the next run when it is broken off between object and entry", async () => {
    await putDeleted(bucket, "user-1", ["a", "b"]);
    const stop = new AbortController();
    const site = await siteOn(bucket, stop.signal);
    const entries = await collected(site);
    const s3 = await local.aws.s3();
    s3.middlewareStack.add(
      (next, context) => async (args) => {
        const answer = await next(args);
        if (context["commandName"] === "DeleteObjectsCommand") stop.abort();
        return answer;
      },
      { step: "initialize", name: "stopped" },
    );
    await expect(carryOut(site, () => given(entries), options())).rejects.toThrow(/abort/i);
    expect(await left(bucket)).toEqual([]);
    expect(await entriesOf(await siteOn(bucket), "user-1")).toEqual(["a", "b"]);
    const again = await siteOn(bucket);
    expect(await carryOut(again, () => given(entries), options())).toMatchObject({ done: 2, skipped: [] });
    expect(await entriesOf(again, "user-1")).toEqual([]);
  });

  it("leaves what is written to the key between the last look and the deletion", async () => {
    const [key = ""] = await putDeleted(bucket, "user-1", ["a"]);
    const site = await siteOn(bucket);
    const audit = listeningAudit(async ([told]) => {
      if (told?.details?.phase === "begun") {
        await putObject(local.aws, { bucket, key, body: Buffer.from("somebody else's") });
      }
    });
    const outcome = await carryOut(site, () => planRetention(site), options({ audit }));
    expect(await left(bucket)).toEqual([key]);
    const codes = outcome.failures.map(({ why }) => why.split(":")[0]);
    expect(codes).toEqual(bucket === "plain" ? ["PreconditionFailed"] : []);
  });
});

it("does each of 20 users once when two runs are at it at the same time", async () => {
  for (let user = 0; user < 20; user++) await putDeleted("plain", `user-${user}`, ["a", "b"]);
  const [one, other] = await Promise.all([siteOn("plain"), siteOn("plain")]);
  const [ofOne, ofOther] = [await collected(one), await collected(other)];
  const outcomes = await Promise.all([
    carryOut(one, () => given(ofOne), options()),
    carryOut(other, () => given(ofOther), options()),
  ]);
  expect(await left("plain")).toEqual([]);
  for (let user = 0; user < 20; user++) expect(await entriesOf(one, `user-${user}`)).toEqual([]);
  expect(outcomes.flatMap(({ skipped }) => skipped)).toEqual([]);
});
