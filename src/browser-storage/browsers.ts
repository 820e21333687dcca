import { tmpdir } from "node:os";
import { CliError, exitCodes } from "../errors.ts";
import { readChromiumStorage } from "./chromium.ts";
import { readFirefoxStorage } from "./firefox.ts";
import { chromiumProfile, firefoxProfile, type Machine } from "./profiles.ts";
import type { StoredText } from "./stored-text.ts";

export const browsers = ["chrome", "chromium", "edge", "brave", "firefox"] as const;
export type Browser = (typeof browsers)[number];

export interface BrowserQuery {
  readonly browser: Browser;
  /** Any address of the site; its origin counts. */
  readonly origin: string;
  /** The one key that is read out. */
  readonly key: string;
  /** A profile's name as the browser shows it, its folder's name, or the path of a profile folder. */
  readonly profile?: string;
}

/**
 * Reads one localStorage key of one site from a browser's own files, while the browser may be running. What a page
 * stored reaches the files only some seconds later, so an answer may be that much behind an open page.
 *
 * The files hold tokens of every site: only the row of the key asked for is read out, databases are copied in memory
 * where that is possible, and a LevelDB copy lives in a private temporary folder until this function ends.
 *
 * @throws CliError when the browser, the profile or the key is not there; it names folders, never contents.
 */
export async function readFromBrowser(
  query: BrowserQuery,
  machine: Machine,
  options: { readonly signal: AbortSignal; readonly tempRoot?: string },
): Promise<StoredText> {
  const origin = siteOrigin(query.origin);
  try {
    const { found, folder } = await find({ ...query, origin }, machine, options);
    if (found !== undefined) return found;
    throw new CliError(`${query.browser} holds no ${query.key} for ${origin} in ${folder}`, {
      hint: "is it another profile (--browser-profile), or another origin (http or https, with or without www)?",
    });
  } catch (error) {
    throw isDenied(error) ? noAccess(query.browser, error) : error;
  }
}

async function find(
  query: BrowserQuery,
  machine: Machine,
  { signal, tempRoot = tmpdir() }: { readonly signal: AbortSignal; readonly tempRoot?: string },
): Promise<{ folder: string; found: StoredText | undefined }> {
  const { browser, profile } = query;
  if (browser === "firefox") {
    const folder = await firefoxProfile(profile, machine);
    return { folder, found: await readFirefoxStorage(folder, query, signal) };
  }
  const folder = await chromiumProfile(browser, profile, machine);
  return { folder, found: await readChromiumStorage(folder, query, { signal, tempRoot }) };
}

/** EBUSY is Windows' word for a file that a browser keeps to itself. */
function isDenied(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && /^(?:EACCES|EPERM|EBUSY)$/.test(String(error.code));
}

function noAccess(browser: Browser, error: NodeJS.ErrnoException): CliError {
  return new CliError(
    `the system does not let ${error.path ?? `the files of ${browser}`} be read (${error.code ?? ""})`,
    {
      hint: "close the browser; on macOS, give the terminal Full Disk Access",
      cause: error,
    },
  );
}

function siteOrigin(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new CliError(`the origin ${JSON.stringify(address)} is not an http:// or https:// address`, {
      hint: "give the site's address as the browser shows it, such as https://www.example.com",
      exitCode: exitCodes.usage,
    });
  }
  return url.origin;
}
