import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { Fault } from "../fault.ts";
import { invalid } from "./fault.ts";
import { type Input, limitOf, optionalBoolean, optionalText, poolIdOf, rules, text, texts } from "./input.ts";
import { type Context, del, existingPool, keys, page, put, seconds } from "./records.ts";
import { placeOf, tokenOf } from "./tokens.ts";

/** An application that may sign users in. */
export interface Client {
  readonly id: string;
  readonly poolId: string;
  readonly name: string;
  readonly secret?: string;
  readonly flows: readonly string[];
  readonly hidesUsers: boolean;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

const flowNames = [
  "ADMIN_NO_SRP_AUTH",
  "CUSTOM_AUTH_FLOW_ONLY",
  "USER_PASSWORD_AUTH",
  "ALLOW_ADMIN_USER_PASSWORD_AUTH",
  "ALLOW_CUSTOM_AUTH",
  "ALLOW_REFRESH_TOKEN_AUTH",
  "ALLOW_USER_AUTH",
  "ALLOW_USER_PASSWORD_AUTH",
  "ALLOW_USER_SRP_AUTH",
];
const defaultFlows = ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"];
const clientId = { least: 1, most: 128, pattern: String.raw`[\w+]+` };
const clientName = { least: 1, most: 128, pattern: String.raw`[\w\s+=,.@-]+` };

export async function createUserPoolClient(context: Context, input: Input): Promise<object> {
  const pool = await existingPool(context, poolIdOf(input));
  const createdMs = context.now().getTime();
  const client: Client = {
    id: randomText(26),
    poolId: pool.id,
    name: text(input, "ClientName", clientName),
    ...(optionalBoolean(input, "GenerateSecret") === true ? { secret: randomText(51) } : {}),
    ...settingsIn(input),
    createdMs,
    modifiedMs: createdMs,
  };
  await context.database.write([
    put(keys.client(pool.id, client.id), client),
    put(keys.poolOf(client.id), pool.id),
  ]);
  return { UserPoolClient: described(client) };
}

export async function describeUserPoolClient(context: Context, input: Input): Promise<object> {
  return { UserPoolClient: described(await clientOf(context, input)) };
}

/** What is not named goes back to its default, as at AWS. */
export async function updateUserPoolClient(context: Context, input: Input): Promise<object> {
  return context.database.exclusive(async () => {
    const client = await clientOf(context, input);
    const name = optionalText(input, "ClientName", clientName) ?? client.name;
    const changed = { ...client, name, ...settingsIn(input), modifiedMs: context.now().getTime() };
    await context.database.write([put(keys.client(client.poolId, client.id), changed)]);
    return { UserPoolClient: described(changed) };
  });
}

export async function deleteUserPoolClient(context: Context, input: Input): Promise<object> {
  const { poolId, id } = await clientOf(context, input);
  await context.database.write([del(keys.client(poolId, id)), del(keys.poolOf(id))]);
  return {};
}

export async function listUserPoolClients(context: Context, input: Input): Promise<object> {
  const pool = await existingPool(context, poolIdOf(input));
  const about = `clients of ${pool.id}`;
  const { items, next } = await page(context, keys.clients(pool.id), {
    limit: limitOf(input, "MaxResults"),
    token: placeOf(optionalText(input, "NextToken", rules.token), about),
    take: (_key, { id, name }: Client) => ({ ClientId: id, ClientName: name, UserPoolId: pool.id }),
  });
  return { UserPoolClients: items, NextToken: tokenOf(next, about) };
}

/** The client that a request names together with its pool. */
export async function clientOf(context: Context, input: Input): Promise<Client> {
  const pool = await existingPool(context, poolIdOf(input));
  return existingClient(context, pool.id, text(input, "ClientId", clientId));
}

/** The client of a request that names no pool. */
export async function clientByItself(context: Context, input: Input): Promise<Client> {
  const id = text(input, "ClientId", clientId);
  return existingClient(context, (await context.database.get<string>(keys.poolOf(id))) ?? "", id);
}

async function existingClient(context: Context, poolId: string, id: string): Promise<Client> {
  const client = await context.database.get<Client>(keys.client(poolId, id));
  if (client === undefined) {
    throw new Fault("ResourceNotFoundException", `User pool client ${id} does not exist.`);
  }
  return client;
}

/** A client that has a secret proves it for every user name. @throws Fault */
export function checkSecretHash({ id, secret }: Client, username: string, given: string | undefined): void {
  if (secret === undefined) return;
  if (given === undefined) {
    throw new Fault(
      "NotAuthorizedException",
      `Client ${id} is configured with secret but SECRET_HASH was not received`,
    );
  }
  const expected = createHmac("sha256", secret).update(`${username}${id}`).digest();
  const bytes = Buffer.from(given, "base64");
  if (bytes.length === expected.length && timingSafeEqual(bytes, expected)) return;
  throw new Fault("NotAuthorizedException", `Unable to verify secret hash for client ${id}`);
}

function settingsIn(input: Input): Pick<Client, "flows" | "hidesUsers"> {
  const flows = texts(input, "ExplicitAuthFlows", { oneOf: flowNames });
  const older = flows.filter((flow) => !flow.startsWith("ALLOW_"));
  if (older.length > 0 && older.length < flows.length) {
    throw invalid("ExplicitAuthFlows can not be set with both the legacy and the ALLOW_ prefixed values");
  }
  const told = optionalText(input, "PreventUserExistenceErrors", { oneOf: ["LEGACY", "ENABLED"] });
  return { flows: flows.length === 0 ? defaultFlows : flows, hidesUsers: told === "ENABLED" };
}

function described(client: Client): object {
  return {
    UserPoolId: client.poolId,
    ClientId: client.id,
    ClientName: client.name,
    ClientSecret: client.secret,
    ExplicitAuthFlows: client.flows,
    PreventUserExistenceErrors: client.hidesUsers ? "ENABLED" : "LEGACY",
    RefreshTokenValidity: 30,
    EnableTokenRevocation: true,
    AllowedOAuthFlowsUserPoolClient: false,
    CreationDate: seconds(client.createdMs),
    LastModifiedDate: seconds(client.modifiedMs),
  };
}

function randomText(length: number): string {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from(randomBytes(length), (byte) => letters[byte % letters.length]).join("");
}
