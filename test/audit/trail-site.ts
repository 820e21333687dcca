import {
  DeleteItemCommand,
  DeleteTableCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import { anchorIn, readAnchor } from "../../src/audit/anchor.ts";
import { anchorKey, keptAnchorOf, trailPrefix, type TrailPlace } from "../../src/audit/place.ts";
import { openTrail, type AuditTrail } from "../../src/audit/trail.ts";
import { verifyTrail, type Fault, type Interruption, type Verification } from "../../src/audit/verify.ts";
import type { Aws } from "../../src/aws/clients.ts";
import { explain } from "../../src/aws/explain/explain.ts";
import type { Item } from "../../src/aws/dynamodb/items.ts";
import { listVersions } from "../../src/aws/s3/listing.ts";
import { deleteObject, getObjectBytes } from "../../src/aws/s3/objects.ts";
import type { AuditEvent, Writer } from "../../src/model/audit.ts";
import { auditChain } from "../../src/model/tool-tables.ts";
import { defaultNames, mawps } from "../../src/model/mawps.ts";
import { applySetup } from "../../src/setup/apply.ts";
import { planSetup } from "../../src/setup/plan.ts";
import { openSite } from "../setup/site.ts";

/** The time at which the tests look; their entries are written from here on, a second apart. */
export const testNow = new Date("2026-03-01T12:00:00.000Z");

/** A trail on a store of its own, and the hands of somebody who can write to its table and bucket. */
export interface TrailSite {
  readonly aws: Aws;
  readonly site: TrailPlace;
  open(differing?: Partial<Writer>, at?: TrailPlace): Promise<AuditTrail>;
  /** Opens a trail, records these one by one, and anchors the last. */
  write(count: number, differing?: Partial<Writer>): Promise<void>;
  /** What trails that were opened here warned of. */
  readonly warnings: string[];
  verify(now?: Date): Promise<{ faults: Fault[]; interruptions: Interruption[]; sum: Verification }>;
  item(sequence: number | string): Promise<Item | undefined>;
  put(item: Item): Promise<void>;
  drop(sequence: number | string): Promise<void>;
  anchor(): Promise<{ sequence: number; hash: string; count: number }>;
  close(): Promise<void>;
}

/** Which heads were anchored on the way from this one depends on the machine. */
async function forgetAnchorsBetween(site: TrailPlace, first: number): Promise<void> {
  const { aws, bucket } = site;
  const last = (await readAnchor(site))?.head?.sequence ?? 0;
  for await (const page of listVersions(aws, { bucket, prefix: trailPrefix(site) })) {
    for (const { key, version, isDeleteMarker } of page) {
      if (isDeleteMarker) continue;
      const { sequence } =
        (key === anchorKey(site)
          ? (await anchorIn(aws, { bucket, key, version })).stored
          : keptAnchorOf(site, key)) ?? {};
      if (sequence !== undefined && sequence > first && sequence < last)
        await deleteObject(aws, { bucket, key, version });
    }
  }
}

export async function openTrailSite(): Promise<TrailSite> {
  const store = await openSite();
  const { aws } = store;
  const declaration = mawps(defaultNames);
  const needed = {
    ...declaration,
    buckets: declaration.buckets.filter(({ role }) => role === "userFiles"),
    tables: declaration.tables.filter(({ role }) => role === "auditLog"),
  };
  await applySetup(aws, await planSetup(aws, needed), { fix: false, firstDelayMs: 1 });
  const site: TrailPlace = {
    aws,
    table: defaultNames.tables.auditLog,
    bucket: defaultNames.buckets.userFiles,
  };
  const dynamodb = await aws.dynamodb();
  const keyOf = (sequence: number | string) => ({
    chain: { S: auditChain },
    sequence: { N: String(sequence) },
  });
  const open = (differing: Partial<Writer> = {}, at = site) =>
    openTrail(at, writer(differing), {
      explain: async (error) => explain(error, {}),
      warn: (text) => void warnings.push(text),
      firstDelayMs: 1,
    });
  const warnings: string[] = [];
  return {
    aws,
    site,
    warnings,
    open,
    async write(count, differing) {
      const first = (await readAnchor(site))?.head?.sequence ?? 0;
      const trail = await open(differing);
      for (let number = 1; number <= count; number += 1) await trail.record(event(number));
      await trail.settle();
      await forgetAnchorsBetween(site, first);
    },
    async verify(now = testNow) {
      const verifying = verifyTrail(site, now);
      const faults: Fault[] = [];
      const interruptions: Interruption[] = [];
      for (;;) {
        const step = await verifying.next();
        if (step.done === true) return { faults, interruptions, sum: step.value };
        if ("fault" in step.value) faults.push(step.value);
        else interruptions.push(step.value);
      }
    },
    async item(sequence) {
      const command = new GetItemCommand({ TableName: site.table, Key: keyOf(sequence) });
      return (await dynamodb.send(command)).Item;
    },
    async put(item) {
      await dynamodb.send(new PutItemCommand({ TableName: site.table, Item: item }));
    },
    async drop(sequence) {
      await dynamodb.send(new DeleteItemCommand({ TableName: site.table, Key: keyOf(sequence) }));
    },
    async anchor() {
      const { bytes } = await getObjectBytes(aws, { bucket: site.bucket, key: anchorKey(site) });
      return JSON.parse(bytes.toString()) as Awaited<ReturnType<TrailSite["anchor"]>>;
    },
    close: () => store.close(),
  };
}

/** Event number n: of three users, and of two actions in turn. */
export function event(number: number): AuditEvent {
  return {
    action: number % 2 === 0 ? "document.uploaded" : "document.deleted",
    userId: `user-${number % 3}`,
    details: {
      documentId: `doc-${number}`,
      name: "Lebenslauf größer.pdf",
      sizeBytes: number,
      tags: ["a", "b"],
    },
  };
}

function writer(differing: Partial<Writer>): Writer {
  let looks = 0;
  return {
    actor: "arn:aws:iam::123456789012:user/manuel",
    userAgent: "mawps/0.1.0 node/20.20.0 linux",
    retentionDays: 2557,
    now: () => new Date(testNow.getTime() + 1000 * looks++),
    newId: () => crypto.randomUUID(),
    ...differing,
  };
}

export async function removeTable({ aws, table: TableName }: TrailPlace): Promise<void> {
  const dynamodb = await aws.dynamodb();
  await dynamodb.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
  await dynamodb.send(new DeleteTableCommand({ TableName }));
}
