import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import type { LocalOptions, LocalRequest, LocalResponse, LocalService } from "../service.ts";
import { readBody, signatureFault } from "../signed-json.ts";
import { parseJson } from "../json.ts";
import { openDatabase } from "../json-database.ts";
import { coralFault, Fault, validationFault } from "./fault.ts";
import type { Context, PutObject } from "./tables.ts";

/** DynamoDB takes requests of at most 16 MB. */
const requestLimitBytes = 16 * 1024 * 1024;

type Operation = (context: Context, input: object) => Promise<object>;

// Every group is loaded with the first request for it.
const admin = () => import("./admin.ts");
const items = () => import("./items.ts");
const search = () => import("./search.ts");
const settings = () => import("./settings.ts");
const transactions = () => import("./transactions.ts");
const backups = () => import("./backups.ts");
const exports = () => import("./exports.ts");

const operations: Readonly<Record<string, () => Promise<Operation>>> = {
  BatchGetItem: async () => (await items()).batchGetItem,
  BatchWriteItem: async () => (await items()).batchWriteItem,
  CreateBackup: async () => (await backups()).createBackup,
  CreateTable: async () => (await admin()).createTable,
  DeleteBackup: async () => (await backups()).deleteBackup,
  DeleteItem: async () => (await items()).deleteItem,
  DeleteTable: async () => (await admin()).deleteTable,
  DescribeBackup: async () => (await backups()).describeBackup,
  DescribeContinuousBackups: async () => (await settings()).describeContinuousBackups,
  DescribeEndpoints: async () => (await settings()).describeEndpoints,
  DescribeExport: async () => (await exports()).describeExport,
  DescribeLimits: async () => (await settings()).describeLimits,
  DescribeTable: async () => (await admin()).describeTable,
  DescribeTimeToLive: async () => (await settings()).describeTimeToLive,
  ExportTableToPointInTime: async () => (await exports()).exportTableToPointInTime,
  GetItem: async () => (await items()).getItem,
  ListBackups: async () => (await backups()).listBackups,
  ListExports: async () => (await exports()).listExports,
  ListTables: async () => (await admin()).listTables,
  ListTagsOfResource: async () => (await settings()).listTagsOfResource,
  PutItem: async () => (await items()).putItem,
  Query: async () => (await search()).query,
  RestoreTableFromBackup: async () => (await backups()).restoreTableFromBackup,
  RestoreTableToPointInTime: async () => (await import("./restore.ts")).restoreTableToPointInTime,
  Scan: async () => (await search()).scan,
  TagResource: async () => (await settings()).tagResource,
  TransactGetItems: async () => (await transactions()).transactGetItems,
  TransactWriteItems: async () => (await transactions()).transactWriteItems,
  UntagResource: async () => (await settings()).untagResource,
  UpdateContinuousBackups: async () => (await settings()).updateContinuousBackups,
  UpdateItem: async () => (await items()).updateItem,
  UpdateTable: async () => (await import("./update-table.ts")).updateTable,
  UpdateTimeToLive: async () => (await settings()).updateTimeToLive,
};

/** DynamoDB has these, this store does not; a client should learn that it asked rightly, but in the wrong place. */
const missing = new Set(["BatchExecuteStatement", "ExecuteStatement", "ExecuteTransaction", "ImportTable"]);

/**
 * Opens (or makes) the DynamoDB end in `dir`. The folder belongs to one process at a time: the caller holds the
 * store's lock. Rejects when the database cannot be opened.
 *
 * Every acknowledged write outlives the process. An item and its index rows are written as one. Items past their TTL
 * stay. Point-in-time recovery gives the present only, and streams are a setting without effect.
 */
export async function openDynamoDb(
  dir: string,
  options: LocalOptions & { readonly putObject: PutObject },
): Promise<LocalService> {
  const database = await openDatabase(dir, { sync: false });
  return {
    async handle(request) {
      const context: Context = {
        database,
        region: options.region,
        now: options.now,
        host: request.headers["host"] ?? "",
        putObject: options.putObject,
      };
      try {
        if (request.method === "GET") return healthy(request);
        return respond(200, await answer(context, request, options), options.now());
      } catch (error) {
        if (error instanceof Fault) return respond(error.status, error.body, options.now());
        if (request.signal?.aborted === true) throw error;
        const document = {
          __type: "com.amazon.coral.service#InternalServerError",
          message: `the local store failed: ${error instanceof Error ? error.message : String(error)}`,
        };
        return respond(500, document, options.now());
      }
    },
    close: () => database.close(),
  };
}

async function answer(context: Context, request: LocalRequest, options: LocalOptions): Promise<object> {
  const body = await readBody(request, requestLimitBytes);
  if (body === undefined) throw new Fault("RequestEntityTooLarge", undefined, { status: 413 });
  const [api, name = ""] = (request.headers["x-amz-target"] ?? "").split(".");
  const operation =
    api === "DynamoDB_20120810" && Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (request.method !== "POST" || (operation === undefined && !missing.has(name))) {
    throw coralFault("UnknownOperationException");
  }
  const fault = signatureFault(request, body, { ...options, service: "dynamodb" });
  if (fault !== undefined) {
    const isMissing = fault.type === "MissingAuthenticationTokenException";
    throw coralFault(fault.type, isMissing ? "Request is missing Authentication Token" : fault.message);
  }
  if (operation === undefined) throw validationFault(`${name} is not offered by the local store`);
  return (await operation())(context, parse(body));
}

function parse(body: Buffer): object {
  let parsed: unknown;
  try {
    parsed = parseJson(body.toString());
  } catch {
    throw coralFault("SerializationException");
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw coralFault("SerializationException");
}

/** What a GET of the service's address gives, for whoever asks whether it is there. */
function healthy(request: LocalRequest): LocalResponse {
  const body = Buffer.from(`healthy: ${request.headers["host"] ?? "dynamodb"} `);
  return { status: 200, headers: { "content-length": String(body.length) }, body };
}

function respond(status: number, document: object, now: Date): LocalResponse {
  const body = Buffer.from(JSON.stringify(document));
  return {
    status,
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "content-length": String(body.length),
      // By this a client corrects a clock that is off, and sends again.
      date: now.toUTCString(),
      "x-amzn-requestid": requestId(),
      "x-amz-crc32": String(crc32(body)),
    },
    body,
  };
}

/** 52 characters of A-Z and 0-9, as DynamoDB's are. */
function requestId(): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  return Array.from(randomBytes(52), (byte) => letters[byte % letters.length]).join("");
}
