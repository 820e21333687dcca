import { AsyncLocalStorage } from "node:async_hooks";
import { cp, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import type { Aws } from "../../src/aws/clients.ts";
import type { Limits } from "../../src/aws/limits.ts";
import { loadModel } from "../../src/config/model-file.ts";
import { modelSetting, resolve, resolveFor, type Config } from "../../src/config/config.ts";
import { main } from "../../src/main.ts";
import { configuredSite, connectTarget, localStoreExists, storeFolder } from "../../src/target.ts";
import type { Access, Connection, Output, World } from "../../src/world.ts";
import { quietly } from "./signal.ts";

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Call {
  readonly service: string;
  readonly command: string;
}

/** A request as it reaches the server, whichever way it was made. */
export interface RecordedRequest {
  readonly service: "s3" | "dynamodb" | "cognito" | "cloudwatch" | "sts";
  readonly region: string;
  readonly method: string;
  readonly hostname: string;
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the services that have one address for all operations. */
  readonly target: string | undefined;
  /** Of these, too, and of a list of what is deleted. */
  readonly body: string | undefined;
}

export interface WorldOptions {
  readonly env?: Record<string, string>;
  /** What is typed at the prompts, in order. Without answers there is no terminal. */
  readonly answers?: readonly (string | boolean)[];
  readonly stdin?: Uint8Array;
  /** Columns of the terminal that stdout and stderr are then. */
  readonly columns?: number;
  readonly signal?: AbortSignal;
  readonly limits?: Partial<Limits>;
  /** Whether another process of this machine lives. Default: none does. */
  readonly isAlive?: (pid: number) => boolean;
  /** When a result is written; `told` is what stderr has got until then. */
  readonly onResult?: (told: string) => void;
}

/** A temporary home and folder in which command lines run in this process, on the local store. */
export interface TestHome {
  readonly folder: string;
  /** Every call to the SDK's clients since the home was made. */
  readonly calls: Call[];
  /** The same as requests, with those that were made past the clients' own way. */
  readonly requests: RecordedRequest[];
  readonly opened: string[];
  /** The questions that were asked with yes and no as answers. */
  readonly asked: string[];
  /** Time that has passed since the tests' start, besides its going on, for machine and server alike. */
  laterMs: number;
  /** What each look at the clock takes. Default a second; less where there are so many looks that leases would end. */
  tickMs: number;
  /** How far this machine's clock is ahead of the server's. */
  aheadMs: number;
  /** What happens between the tool's reading of an item and each of its updates: somebody else at work. */
  beforeUpdate: ((aws: Aws) => Promise<void>) | undefined;
  /** What happens before the tool's calls, by their command; a call that it rejects is not sent. */
  beforeCall: ((command: string, input: unknown, aws: Aws) => Promise<void>) | undefined;
  run(argv: readonly string[], options?: WorldOptions): Promise<Outcome>;
  /** The store itself, to look at the state: the same folder, clients of its own. */
  look<T>(look: (aws: Aws, config: Config) => Promise<T>, env?: Record<string, string>): Promise<T>;
  /** Another home with the same files and time: what many tests begin with is made once. */
  copy(): Promise<TestHome>;
  remove(): Promise<void>;
}

/** The clock of the tests starts here and goes on by a second each time it is looked at. */
export const testStart = new Date("2026-03-01T12:00:00.000Z");

/** Value of `laterMs` by which a home's clock stands after the real one, by which a process that the test kills goes. */
export function afterRealClockMs(): number {
  return Date.now() - testStart.getTime() + 3_600_000;
}

export async function makeHome(): Promise<TestHome> {
  return homeAt(0);
}

/** A home by whose clock so much time has passed since the tests' start. */
async function homeAt(beginMs: number): Promise<TestHome> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-test-"));
  const calls: Call[] = [];
  const requests: RecordedRequest[] = [];
  const opened: string[] = [];
  const asked: string[] = [];
  let passedMs = beginMs;
  const serverNow = () => {
    const at = new Date(testStart.getTime() + passedMs + home.laterMs);
    passedMs += home.tickMs;
    return at;
  };
  const now = () => new Date(serverNow().getTime() + home.aheadMs);
  const baseEnv = { MAWPS_HOME: join(folder, "store"), NO_COLOR: "1" };

  function world(options: WorldOptions): { world: World; stdout: string[]; stderr: string[] } {
    const stdout: string[] = [];
    const stderr: string[] = [];
    const answers = options.answers === undefined ? undefined : [...options.answers];
    const next = () => {
      const answer = answers?.shift();
      if (answer === undefined) throw new Error("the test has no answer for this question");
      return answer;
    };
    const isTTY = answers !== undefined;
    const { columns } = options;
    const made: World = {
      stdin: Object.assign(streamOf(options.stdin), { isTTY }),
      stdout: sink(stdout, {
        isTTY: columns !== undefined,
        columns,
        onWrite: () => options.onResult?.(stderr.join("")),
      }),
      // So wide that remarks stay in one line where a test does not say how wide it is.
      stderr: sink(stderr, { isTTY: isTTY || columns !== undefined, columns: columns ?? 10_000 }),
      env: { ...baseEnv, ...options.env },
      cwd: folder,
      home: folder,
      platform: process.platform,
      command: "mawps",
      nodeVersion: process.versions.node,
      saveWorker: undefined,
      // A busy machine needs longer than people wait.
      limits: { metricsMs: 600_000, ...options.limits },
      // A passphrase keeps itself from being guessed by two seconds of the processor for each use.
      passphraseWork: 10,
      signal: quietly(options.signal),
      now,
      account: () => "tester",
      machine: { host: "test-host", pid: 1, isAlive: options.isAlive ?? (() => false) },
      randomHex: (bytes) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex"),
      prompts: {
        confirm: async (question) => {
          asked.push(question);
          return next() === true;
        },
        input: async () => String(next()),
        password: async () => String(next()),
        select: async () => String(next()),
      },
      openUrl: async (url) => void opened.push(url),
      async connect(config, access) {
        await putNewStore(config, access, made);
        return recorded(await connectTarget(config, access, { ...made, now: serverNow }), home);
      },
    };
    return { world: made, stdout, stderr };
  }

  const home: TestHome = {
    folder,
    calls,
    requests,
    opened,
    asked,
    laterMs: 0,
    tickMs: 1000,
    aheadMs: 0,
    beforeUpdate: undefined,
    beforeCall: undefined,
    async run(argv, options = {}) {
      const { world: made, stdout, stderr } = world(options);
      const exitCode = await main(argv, made);
      return { exitCode, stdout: stdout.join(""), stderr: stderr.join("") };
    },
    async look(look, env = {}) {
      const { world: made } = world({ env });
      const given = { flags: {}, env: made.env, file: undefined };
      const { config } = resolveFor(await loadModel(made, modelSetting(given)), given);
      await putNewStore(config, "writes", made);
      const connection = await connectTarget(config, "writes", { ...made, now: serverNow });
      try {
        return await look(connection.aws, config);
      } finally {
        await connection.close();
      }
    },
    async copy() {
      const copy = await homeAt(passedMs);
      await cp(folder, copy.folder, { recursive: true });
      return copy;
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
  };
  return home;
}

/** A writing command makes a store that is not there; here one that was made once for all tests is copied, where it is the same. */
async function putNewStore(config: Config, access: Access, world: World): Promise<void> {
  if (access === "reads" || config.target !== "local" || (await localStoreExists(config, world))) return;
  // What is no folder the program itself has to tell.
  if ((await stat(storeFolder(config, world)).catch(() => undefined))?.isDirectory() === false) return;
  const { config: byDefault } = resolve({}, {}, undefined);
  if (JSON.stringify(configuredSite(config)) !== JSON.stringify(configuredSite(byDefault))) return;
  await cp(inject("newStore"), storeFolder(config, world), { recursive: true });
}

async function* streamOf(bytes: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  if (bytes !== undefined) yield bytes;
}

/** What a spinner asks of a terminal besides. */
const terminal = { cursorTo: () => true, clearLine: () => true, moveCursor: () => true };

interface Sink {
  readonly isTTY: boolean;
  readonly columns?: number | undefined;
  readonly onWrite?: (() => void) | undefined;
}

function sink(into: string[], { isTTY, columns = 100, onWrite }: Sink): Output {
  return Object.assign({}, isTTY ? terminal : {}, {
    isTTY,
    columns,
    write(text: string | Uint8Array) {
      onWrite?.();
      into.push(typeof text === "string" ? text : Buffer.from(text).toString());
      return true;
    },
    once: () => undefined,
  });
}

/** Whether a call is made by what a test does between two calls of the tool; the tool's other calls go on meanwhile. */
const somebodyElse = new AsyncLocalStorage<true>();

/** Lets somebody in; where nobody comes nothing is run in the storage, since from the first time on every promise costs more. */
async function between<T>(who: T | undefined, come: (who: T) => Promise<void>): Promise<void> {
  if (who !== undefined) await somebodyElse.run(true, () => come(who));
}

/** Notes each command that goes through the clients of a connection, and lets somebody else in before an update. */
function recorded(connection: Connection, home: TestHome): Connection {
  const { aws } = connection;
  const watch =
    <T extends { middlewareStack: unknown; config: unknown }>(
      service: RecordedRequest["service"],
      open: () => Promise<T>,
    ) =>
    async () => {
      const client = await open();
      recordRequests(client.config as Client["config"], { service, region: aws.region, home });
      const stack = client.middlewareStack as {
        add(middleware: unknown, options: { step: string; name: string; override: boolean }): void;
      };
      stack.add(
        (next: (args: unknown) => unknown, context: { commandName?: string }) => async (args: Sent) => {
          const command = context.commandName ?? "";
          if (somebodyElse.getStore()) return next(args);
          home.calls.push({ service, command });
          await between(home.beforeCall, (come) => come(command, args.input, aws));
          if (isUpdate(context.commandName, args)) await between(home.beforeUpdate, (come) => come(aws));
          return next(args);
        },
        { step: "initialize", name: "recorded", override: true },
      );
      return client;
    };
  return {
    ...connection,
    aws: {
      ...aws,
      s3: watch("s3", aws.s3),
      dynamodb: watch("dynamodb", aws.dynamodb),
      cognito: watch("cognito", aws.cognito),
      cloudwatch: watch("cloudwatch", aws.cloudwatch),
      sts: watch("sts", aws.sts),
    },
  };
}

interface Sent {
  readonly input: { readonly TransactItems?: readonly { readonly Update?: object }[] };
}

function isUpdate(command: string | undefined, { input }: Sent): boolean {
  return (
    command === "UpdateItemCommand" ||
    input.TransactItems?.some(({ Update: step }) => step !== undefined) === true
  );
}

interface Sent {
  readonly method: string;
  readonly hostname: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Client {
  readonly config: { readonly requestHandler: { handle(sent: Sent, options?: unknown): Promise<unknown> } };
}

const recording = new WeakSet<object>();

function recordRequests(
  { requestHandler }: Client["config"],
  { service, region, home }: Pick<RecordedRequest, "service" | "region"> & { readonly home: TestHome },
): void {
  if (recording.has(requestHandler)) return;
  recording.add(requestHandler);
  const handle = requestHandler.handle.bind(requestHandler);
  requestHandler.handle = (sent, options) => {
    const { method, hostname, path, query = {}, headers, body } = sent;
    const target = Object.entries(headers).find(([name]) => name.toLowerCase() === "x-amz-target")?.[1];
    const isText = target !== undefined || Object.hasOwn(query, "delete");
    const text =
      isText && body !== undefined
        ? typeof body === "string"
          ? body
          : new TextDecoder().decode(body as Uint8Array)
        : undefined;
    home.requests.push({ service, region, method, hostname, path, query, headers, target, body: text });
    return handle(sent, options);
  };
}
