import { audited, unlessNothingIsThere, type Audit } from "../audit/audit.ts";
import type { Aws } from "../aws/clients.ts";
import type { Tell } from "../amount.ts";
import type { Context, Unconnected } from "../context.ts";
import type { Names } from "../model/mawps.ts";
import type { CallerIdentity } from "../aws/sts.ts";
import type { Measures } from "../metrics/job.ts";
import type { FoundFile } from "../config/config-file.ts";
import type { Config, Resolved, Sources } from "../config/config.ts";
import { CliError, Declined, exitCodes, isPromptExit } from "../errors.ts";
import { asideText } from "../output/aside.ts";
import { layoutOf, type Layout } from "../output/layout.ts";
import type { Column } from "../output/table.ts";
import { withoutSecrets } from "../output/secrets.ts";
import { json as asJson, visible, visibleLines } from "../output/text.ts";
import { worldWith, type Access, type Connection, type World } from "../world.ts";
import { version } from "../version.ts";
import { configuredFor } from "./configured.ts";
import { actorOf, orUnknown, targetLine } from "./caller.ts";
import { askFirst, type Question } from "./confirm.ts";
import type { Databases } from "./databases.ts";
import { writeJsonLines } from "./json-lines.ts";
import { serverClock } from "./server-clock.ts";
import { startProgress, type Progress } from "./spinner.ts";

/** What a verb works with: the world, the resolved configuration, and its voice. One per invocation. */
export interface Run {
  /** Its clock is the server's, where that has told a time that differs from this machine's. */
  readonly world: World;
  /** The time by this machine's own clock, right or wrong. */
  readonly machineNow: () => Date;
  readonly config: Config;
  readonly sources: Sources;
  /** The configuration file that was read. */
  readonly file: FoundFile | undefined;
  /**
   * Resolves when the servers that this configuration names may be believed, and for `writes` the places. To be called before
   * anything is sent to them; `aws` does.
   */
  assertTrusted(access: Access): Promise<void>;
  /** Clients of the target, opened on first call; the target is named on stderr first. */
  aws(access: Access): Promise<Aws>;
  /**
   * The databases of the site's model, if it has any; none is opened before it is asked for.
   * @param access what for, where the target was not asked for before: one that is embedded is opened behind it.
   */
  databases(access?: Access): Promise<Databases>;
  /** What a subject is handed, with the target opened; and with the target left to be opened when it is asked for. */
  context(access: Access): Promise<Context>;
  unconnected(access: Access): Promise<Unconnected>;
  /**
   * The audit trail. A command that is about to change something has it opened before, best beside other preparation. With
   * `--dry-run` and `audit: off` it keeps nothing. What is recorded is anchored when the run is closed.
   */
  readonly audit: Audit;
  /** Who is at work, as the audit trail names them; asks AWS once a run. */
  actor(): Promise<string>;
  /** The account that the credentials belong to; undefined where a server in AWS's place does not tell. Asks AWS once a run. */
  account(): Promise<string | undefined>;
  /** The result: text for people, or with `--json` the same data as one line of JSON. */
  print<T>(result: T, asText: (result: T, layout: Layout) => string | Promise<string>): Promise<void>;
  /** The same where the text is for another program (a line of a shell, SQL, a script, a link): it is copied, so that no terminal folds it. */
  printCode<T>(result: T, asCode: (result: T) => string): Promise<void>;
  /** A list: a table for people, or with `--json` one object a line, written as they come. */
  printRows<T>(
    rows: AsyncIterable<T> | Iterable<T>,
    asText: (rows: T[], layout: Layout) => string | Promise<string>,
  ): Promise<void>;
  /** A list without an end in sight: a line or a few each, or with `--json` an object a line, written as they come. */
  printLines<T>(
    rows: AsyncIterable<T>,
    asLines: (row: T, layout: Layout) => string | readonly string[],
  ): Promise<void>;
  /** The same as a table. */
  printTable<T>(rows: AsyncIterable<T>, columns: readonly Column<T>[], none: string): Promise<void>;
  /** Raw bytes or text that is the result itself (a script, an export); the same with and without `--json`. */
  write(text: string): Promise<void>;
  /** A remark on stderr; silent with `--quiet` and `--json`. */
  note(text: string): void;
  /** A plan in several lines, as a note; whatever is foreign in it was made visible where it was laid out. */
  outline(asText: (layout: Layout) => string | Promise<string>): Promise<void>;
  /** Something that went on but should be looked at; with `--json` one object on stderr. */
  warn(text: string): void;
  /** A spinner on a terminal, a line elsewhere, nothing with `--quiet` or `--json`. */
  progress(text: string): Promise<Progress>;
  /** Asks before something is done; see `Question`. Resolves only when it may be done. */
  confirm(question: Question): Promise<void>;
  /** What a job tells in its metrics, where the site has them put. */
  measure(measures: Measures): void;
  /** To be said of a run that is narrowed by hand, before it may fail: it is none of the job's, and puts no metrics. */
  keepFromMetrics(): void;
  /** Whether questions can be asked. */
  readonly interactive: boolean;
  /** Whether the target was asked for to change something. */
  readonly changing: boolean;
  /** Lets go of everything; what the command failed with stands in its metrics. */
  close(failure?: unknown): Promise<void>;
}

interface Started {
  readonly file?: FoundFile | undefined;
  /** Its words, such as `backup create`. */
  readonly command?: string;
}

/** Prepares the run of one verb. Nothing is opened and nothing printed before it is asked for. */
export function startRun(machine: World, resolved: Resolved, { file, command = "" }: Started = {}): Run {
  const { config, sources } = resolved;
  const json = config.json;
  const silent = json || config.quiet;
  const interactive = machine.stdin.isTTY === true && machine.stderr.isTTY === true;
  const shown = { noColor: config.noColor, wide: config.wide, term: machine.env["TERM"] };
  const layout = layoutOf(machine.stdout, shown);
  const aside = layoutOf(machine.stderr, shown);
  /** The one connection; another one takes its place where what is written to it would be lost. */
  let connection: Promise<Connection> | undefined;
  let writing: Promise<Connection> | undefined;
  /** Resolves when the target is named on stderr: before any question, and before any result. */
  let naming = Promise.resolve();
  let databases: Promise<Databases> | undefined;
  /** Lets go of what was opened before, and read from. */
  let outlived = async () => {};
  let closed = false;
  let spinning: Progress | undefined;
  let telling: Promise<Tell> | undefined;
  let asked: Promise<CallerIdentity> | undefined;
  const { namespace, dimensions } = config.metrics;
  const metrics = namespace === undefined ? undefined : { namespace, dimensions };
  // A look at the clock that few need.
  const begunAtMs = metrics === undefined ? 0 : machine.now().getTime();
  const measured: Measures = {};
  let isKeptFromMetrics = false;

  const clock = serverClock(machine, (text) => warn(text));
  const { now } = clock;
  const world = worldWith(machine, { now });

  const caller = (aws: Aws) =>
    (asked ??= import("../aws/sts.ts").then(({ callerIdentity }) => callerIdentity(aws, world.signal)));
  const write = async (text: string) => {
    if (text === "") return;
    await naming.catch(() => undefined);
    if (!world.stdout.write(text)) await drained(world);
  };
  /** Loaded late: `--json` draws nothing. */
  const drawn = async (text: string, on: Layout) =>
    (await import("../output/table.ts")).folded(visibleLines(text, on), on);
  const told = (text: string) => visible(withoutSecrets(text, world.env));
  const note = (text: string) => {
    if (!silent) world.stderr.write(asideText(told(text), aside));
  };
  const warn = (text: string) => {
    world.stderr.write(
      json
        ? `${asJson({ warning: withoutSecrets(text, world.env) })}\n`
        : asideText(told(text), aside, { label: "warning:", tone: "warning" }),
    );
  };

  /** Places that a file names which nobody has said to be believed. */
  async function doubtedPlaces(access: Access): Promise<readonly string[]> {
    if (file === undefined || file.isOwnWord) return [];
    const { isTrusted, placesOfOthers, wordOf } = await import("../config/trust.ts");
    const places = placesOfOthers(resolved, file, access);
    return places.length === 0 || (await isTrusted(world, wordOf(resolved, file))) ? [] : places;
  }

  async function assertTrusted(access: Access): Promise<void> {
    const places = await doubtedPlaces(access);
    if (file === undefined || places.length === 0) return;
    const what = `${file.path} says where what is yours goes: ${places.join(", ")}`;
    if (!interactive) {
      throw new CliError(
        `${what}; nothing was sent, as there is no terminal to ask whether it is to be believed`,
        {
          hint: `if that is right: \`mawps config trust\`, or name the file yourself: --config ${file.path}`,
        },
      );
    }
    spinning?.stop();
    if (!(await world.prompts.confirm(visible(`${what}. Believe this file?`), false))) {
      throw new Declined("declined; nothing was sent", {
        hint: "--endpoint-url, or --config with another file, says where to work",
      });
    }
    if (config.dryRun) return;
    const { trust, wordOf } = await import("../config/trust.ts");
    await trust(world, wordOf(resolved, file));
  }

  async function open(access: Access): Promise<Connection> {
    await assertTrusted(access);
    const opened = await machine.connect(config, access);
    clock.goBy(opened.aws);
    if (silent) return opened;
    naming = (async () => {
      const line = await targetLine(opened, { config, sources, access, caller });
      if (!closed) note(line);
    })();
    // Whom the credentials belong to is asked beside the first calls; where that fails, so do these, and say why.
    naming.catch(() => undefined);
    if (config.target === "local" || access === "reads") await naming;
    return opened;
  }

  let changing = false;
  const connected = (access: Access): Promise<Connection> => {
    if (access === "reads" || config.dryRun) return (connection ??= open("reads"));
    changing = true;
    return (writing ??= connection === undefined ? (connection = open("writes")) : openedAnew(connection));
  };

  /** What was opened to read is written from here on. */
  async function openedAnew(reading: Promise<Connection>): Promise<Connection> {
    const opened = await reading;
    await assertTrusted("writes");
    if (opened.keepsNothing !== true) return opened;
    const kept = await machine.connect(config, "writes");
    const inIt = databases;
    databases = undefined;
    outlived = async () => {
      await (await inIt)?.close();
      await opened.close();
    };
    connection = Promise.resolve(kept);
    return kept;
  }

  const kept = audited(async (begins) => {
    const [context, { openAudit }] = await Promise.all([contextFor("writes"), import("./audit/open.ts")]);
    return openAudit({ context, config, world }, { actor: () => context.actor(), begins, warn });
  });
  // What only reads makes no local store, not even for an entry.
  const audit = unlessNothingIsThere(kept, async () => {
    if (config.target !== "local" || config.dryRun || changing) return false;
    return (await connected("reads")).keepsNothing === true && !changing;
  });

  async function contextFor(access: Access): Promise<Context> {
    const [{ aws }, others] = await Promise.all([connected(access), unconnected(access)]);
    return { ...others, aws };
  }

  async function unconnected(access: Access): Promise<Unconnected> {
    const { backupsInStore, configuredNames, configuredSite } = await import("../target.ts");
    // The roles that a subject asks for are those of its site's model.
    const { buckets, tables } = configuredNames(config) as Names;
    const connect = async () => (await connected(access)).aws;
    return {
      connect,
      model: config.site,
      declaration: configuredSite(config),
      buckets,
      tables,
      publicBaseUrl: config.publicBaseUrl,
      dryRun: config.dryRun,
      signal: world.signal,
      audit,
      target: config.target,
      ...configuredFor({ config, world, interactive }, backupsInStore(config, world)),
      version,
      machine: world.machine,
      actor: async () => actorOf(await connect(), { config, world, caller }),
      account,
      databases: async (wants) => (await openDatabases(access)).openThere(wants),
      databasesNamed: async (wants, naming) => (await openDatabases(access)).open(wants, naming),
      declarationUnder: (prefix) => configuredSite(config, prefix),
      now,
      machineNow: () => machine.now(),
      randomHex: (bytes) => world.randomHex(bytes),
      progress,
      measure,
      note,
      warn,
    };
  }

  function measure(measures: Measures): void {
    Object.assign(measured, measures);
  }

  async function account(): Promise<string | undefined> {
    const { aws } = await connected("reads");
    const found = await orUnknown(aws, async () => (await caller(aws)).account);
    return found === "unknown" ? undefined : found;
  }

  async function anchor(): Promise<void> {
    await audit.settle().catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      warn(`the audit trail is written, but not anchored: ${why}; the next changing command does it`);
    });
  }

  /** Whatever becomes of it is no matter of the command: a warning at most. */
  async function putMetrics(failure: unknown): Promise<void> {
    if (metrics === undefined || config.dryRun || isKeptFromMetrics || world.signal.aborted) return;
    if (failure instanceof Declined || isPromptExit(failure)) return;
    // Whoever typed it wrong is told.
    if (failure instanceof CliError && failure.exitCode === exitCodes.usage) return;
    const { isJob } = await import("../metrics/job.ts");
    if (!isJob(command)) return;
    const [{ putJob }, { defaultLimits }] = await Promise.all([
      import("../metrics/put.ts"),
      import("../aws/limits.ts"),
    ]);
    const seconds = (machine.now().getTime() - begunAtMs) / 1000;
    // That something is due was asked for, and is no failure.
    const isDone =
      failure === undefined || (failure instanceof CliError && failure.exitCode === exitCodes.due);
    const { metricsMs: mostMs } = { ...defaultLimits, ...machine.limits };
    let isOver = false;
    const open = async () => {
      if (connection !== undefined) return (await connection).aws;
      const opened = await machine.connect(config, "reads");
      if (isOver) await opened.close();
      else connection = Promise.resolve(opened);
      return opened.aws;
    };
    try {
      const [doubted] = await doubtedPlaces("writes");
      if (doubted !== undefined)
        throw new CliError(`${file?.path} is not believed yet: \`mawps config trust\``);
      const job = { command, isDone, seconds, measures: measured };
      await putJob(metrics, job, { open, mostMs, signal: world.signal });
    } catch (error) {
      isOver = true;
      // Why nothing could be opened is told as the failure of the command.
      if (error === failure || world.signal.aborted) return;
      const { explain } = await import("../aws/explain/explain.ts");
      const told = error instanceof CliError ? error : explain(error, config);
      const why = told?.message ?? (error instanceof Error ? error.message : String(error));
      warn(`no metrics are put: ${why}`);
    }
  }

  function openDatabases(access: Access = "reads"): Promise<Databases> {
    const embedded = async () =>
      config.target === "local" ? (await connected(access)).databases : undefined;
    return (databases ??= import("./databases.ts").then(({ databasesOf }) =>
      databasesOf({ config, world, progress, embedded }),
    ));
  }

  async function start(text: string): Promise<Progress> {
    spinning = silent ? { update() {}, stop() {} } : await startProgress(world, visible(text), aside);
    return spinning;
  }

  async function startTelling(text: string): Promise<Tell> {
    const [shown, { follow }] = await Promise.all([start(text), import("./follow.ts")]);
    return follow({ world }, shown);
  }

  /** The first text begins a line or spinner, which the next result, question or end takes away. */
  const progress: Tell = (text, amount) => {
    telling ??= startTelling(text);
    void telling.then((tell) => tell(text, amount));
  };

  async function unspun(): Promise<void> {
    await telling;
    telling = undefined;
    spinning?.stop();
    spinning = undefined;
  }

  return {
    world,
    machineNow: () => machine.now(),
    config,
    sources,
    file,
    assertTrusted,
    interactive,
    get changing() {
      return changing;
    },
    aws: async (access) => (await connected(access)).aws,
    context: contextFor,
    unconnected,
    databases: openDatabases,
    audit,
    actor: async () => (await contextFor("writes")).actor(),
    account,
    async print(result, asText) {
      await unspun();
      if (json) return write(`${asJson(result)}\n`);
      const text = await drawn(await asText(result, layout), layout);
      return write(text === "" || text.endsWith("\n") ? text : `${text}\n`);
    },
    async printCode(result, asCode) {
      await unspun();
      if (json) return write(`${asJson(result)}\n`);
      const code = visibleLines(asCode(result));
      return write(code === "" || code.endsWith("\n") ? code : `${code}\n`);
    },
    async printRows(rows, asText) {
      if (json) return writeJsonLines(rows, write);
      const all: Parameters<typeof asText>[0] = [];
      for await (const row of rows) all.push(row);
      const text = await drawn(await asText(all, layout), layout);
      await write(text === "" || text.endsWith("\n") ? text : `${text}\n`);
    },
    async printLines(rows, asLines) {
      if (json) return writeJsonLines(rows, write);
      const { listLine } = await import("../output/table.ts");
      for await (const row of rows) {
        // The first line takes the spinner away, on whose line it would stand.
        await unspun();
        for (const line of [asLines(row, layout)].flat()) await write(`${listLine(line, layout)}\n`);
      }
    },
    async printTable(rows, columns, none) {
      if (json) return writeJsonLines(rows, write);
      const { tableParts } = await import("../output/table.ts");
      let isEmpty = true;
      for await (const part of tableParts(rows, columns, layout)) {
        isEmpty = false;
        await unspun();
        await write(`${await drawn(part, layout)}\n`);
      }
      if (isEmpty) await write(`${none}\n`);
    },
    async outline(asText) {
      if (silent) return;
      await unspun();
      const text = withoutSecrets(await asText(aside), world.env);
      world.stderr.write(`${await drawn(text, aside)}\n`);
    },
    write,
    note,
    warn,
    async progress(text) {
      await unspun();
      return start(text);
    },
    async confirm(question) {
      await naming;
      await unspun();
      await askFirst(question, { world, config, interactive, layout: aside });
    },
    measure,
    keepFromMetrics() {
      isKeptFromMetrics = true;
    },
    async close(failure) {
      closed = true;
      await unspun();
      await writing?.catch(() => undefined);
      await (await databases)?.close();
      if (connection !== undefined) await anchor();
      await putMetrics(failure);
      // A connection that failed to open has been reported by whoever asked for it.
      const opened = await connection?.catch(() => undefined);
      await opened?.close();
      await outlived();
    },
  };
}

/** Resolves when more may be written. Rejects on abort: a reader that went away drains nothing any more. */
async function drained({ stdout, signal }: World): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    stdout.once("drain", () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
  });
}
