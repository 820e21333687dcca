import { resolve } from "node:path";
import { Option, type Command } from "@commander-js/extra-typings";
import type { Browser } from "../browser-storage/browsers.ts";
import type { SourceQuery } from "../browser-storage/source.ts";
import { decodeText } from "../decode-text.ts";
import { CliError, exitCodes } from "../errors.ts";
import { collected, readNamedFile } from "../text-file.ts";
import type { Run } from "./run.ts";

/** Where a value of the website's localStorage comes from. */
export interface SourceOptions {
  /** A path, or `-` for stdin. */
  readonly source: string | undefined;
  readonly fromBrowser?: Browser;
  readonly browserProfile?: string;
  readonly origin?: string;
}

const browserNames = ["chrome", "chromium", "edge", "brave", "firefox"] as const satisfies readonly Browser[];

/** Browsers give a site about 10 MB; a dump of it encoded twice stays below this. */
const mostBytes = 64 * 2 ** 20;

/** Adds the flags by which a command reads from a browser of this computer. */
export function withBrowserOptions<Args extends unknown[], Opts extends Record<string, unknown>>(
  command: Command<Args, Opts>,
) {
  return command
    .addOption(
      new Option(
        "--from-browser <browser>",
        "read from the files of a browser on this computer, running or not",
      ).choices(browserNames),
    )
    .option("--browser-profile <name>", "its profile, by name or path; default the one used last")
    .option("--origin <url>", "address of the website, as the browser shows it");
}

/**
 * Reads one localStorage key from a file, stdin or a browser. Of a dump only this key is taken.
 * @throws CliError when there is no source, two of them, or nothing usable in it.
 */
export async function readStorageSource(
  run: Run,
  options: SourceOptions,
  query: SourceQuery,
): Promise<unknown> {
  const { readSource } = await import("../browser-storage/source.ts");
  return readSource(await sourceText(run, options, query.key), query).value;
}

async function sourceText(run: Run, options: SourceOptions, key: string): Promise<string> {
  const { source, fromBrowser: browser, browserProfile: profile, origin } = options;
  if (browser === undefined) {
    if (source === undefined || origin !== undefined || profile !== undefined) {
      throw usage(
        source === undefined ? "no source given" : "--origin and --browser-profile need --from-browser",
      );
    }
    return decoded(
      source === "-" ? await collected(run.world.stdin, mostBytes) : await fileBytes(run.world.cwd, source),
    );
  }
  if (source !== undefined) throw usage("a file and --from-browser are two sources");
  if (origin === undefined) throw usage("--from-browser needs --origin");
  const { readFromBrowser } = await import("../browser-storage/browsers.ts");
  const query = { browser, origin, key, profile };
  const { text, file } = await readFromBrowser(query, run.world, { signal: run.world.signal });
  run.note(`read ${key} from ${file}`);
  return text;
}

async function fileBytes(cwd: string, source: string): Promise<Buffer> {
  const path = resolve(cwd, source);
  const read = await readNamedFile(path, { what: "a browser's localStorage", mostBytes, takesPipes: true });
  if (read === undefined) throw new CliError(`there is no file ${path}`);
  return read;
}

/** @param bytes undefined where there were too many. */
function decoded(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) {
    throw new CliError("the source has more than 64 MB: no browser's localStorage has that", {
      exitCode: exitCodes.findings,
    });
  }
  try {
    return decodeText(bytes, { fatal: true });
  } catch {
    throw new CliError("the source is not text in UTF-8 or UTF-16", { exitCode: exitCodes.findings });
  }
}

function usage(message: string): CliError {
  return new CliError(message, {
    exitCode: exitCodes.usage,
    hint: "give a file, - for stdin, or --from-browser <browser> --origin https://...",
  });
}
