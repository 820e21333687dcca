import { readFile, stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { CliError } from "../errors.ts";
import { isMissing } from "./stored-text.ts";

/** What tells where browsers keep their profiles. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export type ChromiumBrowser = "chrome" | "chromium" | "edge" | "brave";

interface Places {
  readonly linux: string;
  readonly darwin: string;
  readonly win32: string;
  /** Folders under the home of a Linux user who has it as a Snap or Flatpak. */
  readonly packaged: readonly string[];
}

const chromiumPlaces: Readonly<Record<ChromiumBrowser, Places>> = {
  chrome: {
    linux: "google-chrome",
    darwin: "Google/Chrome",
    win32: "Google/Chrome/User Data",
    packaged: [".var/app/com.google.Chrome/config/google-chrome"],
  },
  chromium: {
    linux: "chromium",
    darwin: "Chromium",
    win32: "Chromium/User Data",
    packaged: ["snap/chromium/common/chromium", ".var/app/org.chromium.Chromium/config/chromium"],
  },
  edge: {
    linux: "microsoft-edge",
    darwin: "Microsoft Edge",
    win32: "Microsoft/Edge/User Data",
    packaged: [".var/app/com.microsoft.Edge/config/microsoft-edge"],
  },
  brave: {
    linux: "BraveSoftware/Brave-Browser",
    darwin: "BraveSoftware/Brave-Browser",
    win32: "BraveSoftware/Brave-Browser/User Data",
    packaged: [
      "snap/brave/current/.config/BraveSoftware/Brave-Browser",
      ".var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser",
    ],
  },
};

/**
 * The profile folder of a browser of the Chromium family: the one named (by the name people see, by folder or by
 * path), else the one used last, else `Default`.
 */
export async function chromiumProfile(
  browser: ChromiumBrowser,
  profile: string | undefined,
  machine: Machine,
): Promise<string> {
  if (profile !== undefined && looksLikePath(profile)) {
    const folder = resolve(machine.cwd, profile);
    const profiles = await readLocalState(folder);
    if (profiles !== undefined) return join(folder, profiles.lastUsed);
    if (await isFolder(folder)) return folder;
    throw new CliError(`there is no profile folder ${folder}`);
  }
  const userData = await firstFolder(chromiumFolders(browser, machine), browser);
  const { lastUsed, names } = (await readLocalState(userData)) ?? { lastUsed: "Default", names: new Map() };
  if (profile === undefined) return join(userData, lastUsed);
  const folder = [...names].find(([folder, name]) => folder === profile || name === profile)?.[0] ?? profile;
  if (await isFolder(join(userData, folder))) return join(userData, folder);
  throw noSuchProfile(
    browser,
    profile,
    [...names].map(([folder, name]) => `${name} (${folder})`),
  );
}

function chromiumFolders(browser: ChromiumBrowser, { platform, home, env }: Machine): string[] {
  const places = chromiumPlaces[browser];
  if (platform === "win32")
    return [join(env["LOCALAPPDATA"] ?? join(home, "AppData", "Local"), places.win32)];
  if (platform === "darwin") return [join(home, "Library", "Application Support", places.darwin)];
  const config = env["XDG_CONFIG_HOME"] || join(home, ".config");
  return [join(config, places.linux), ...places.packaged.map((folder) => join(home, folder))];
}

interface LocalState {
  readonly lastUsed: string;
  /** Folder to name. */
  readonly names: ReadonlyMap<string, string>;
}

/** `Local State` lies beside the profiles; undefined where there is none, so this is no user data folder. */
async function readLocalState(userData: string): Promise<LocalState | undefined> {
  const text = await readTextIfThere(join(userData, "Local State"));
  if (text === undefined) return undefined;
  const { last_used: lastUsed, info_cache: cache } = profileSection(text);
  const entries = Object.entries(typeof cache === "object" && cache !== null ? cache : {});
  const names = entries.map(([folder, entry]: [string, { name?: unknown } | null]) => {
    return [folder, typeof entry?.name === "string" ? entry.name : folder] as const;
  });
  return {
    lastUsed: typeof lastUsed === "string" && lastUsed !== "" ? lastUsed : "Default",
    names: new Map(names),
  };
}

/** The browser rewrites this file as it pleases: one that does not parse says no more than one that is not there. */
function profileSection(localState: string): { last_used?: unknown; info_cache?: unknown } {
  try {
    const state = JSON.parse(localState) as { profile?: object } | null;
    return state?.profile ?? {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/**
 * The Firefox profile folder: the one named (by name, by folder or by path), else the default of the installation in
 * `profiles.ini`, else the profile marked as default there, else the only one.
 */
export async function firefoxProfile(profile: string | undefined, machine: Machine): Promise<string> {
  if (profile !== undefined && looksLikePath(profile)) {
    const folder = resolve(machine.cwd, profile);
    if (await isFolder(folder)) return folder;
    throw new CliError(`there is no profile folder ${folder}`);
  }
  const root = await firstFolder(firefoxFolders(machine), "firefox");
  const sections = parseIni((await readTextIfThere(join(root, "profiles.ini"))) ?? "");
  const profiles = sections.filter(({ name, values }) => /^Profile\d+$/.test(name) && values.has("Path"));
  const place = (path: string) => (isAbsolute(path) ? path : join(root, path));
  if (profile !== undefined) {
    const found = profiles.find(({ values }) => {
      const path = values.get("Path") ?? "";
      return values.get("Name") === profile || path === profile || path.endsWith(`/${profile}`);
    });
    if (found !== undefined) return place(found.values.get("Path") ?? "");
    throw noSuchProfile(
      "firefox",
      profile,
      profiles.map(({ values }) => values.get("Name") ?? ""),
    );
  }
  const path =
    sections
      .find(({ name, values }) => name.startsWith("Install") && values.has("Default"))
      ?.values.get("Default") ??
    profiles.find(({ values }) => values.get("Default") === "1")?.values.get("Path") ??
    (profiles.length === 1 ? profiles[0]?.values.get("Path") : undefined);
  if (path !== undefined) return place(path);
  throw new CliError(`firefox has no default profile in ${root}`, {
    hint: "name one with --browser-profile",
  });
}

function firefoxFolders({ platform, home, env }: Machine): string[] {
  if (platform === "win32")
    return [join(env["APPDATA"] ?? join(home, "AppData", "Roaming"), "Mozilla", "Firefox")];
  if (platform === "darwin") return [join(home, "Library", "Application Support", "Firefox")];
  const config = env["XDG_CONFIG_HOME"] || join(home, ".config");
  return [
    join(home, ".mozilla", "firefox"),
    join(config, "mozilla", "firefox"),
    join(home, "snap", "firefox", "common", ".mozilla", "firefox"),
    join(home, ".var", "app", "org.mozilla.firefox", ".mozilla", "firefox"),
    join(home, ".var", "app", "org.mozilla.firefox", "config", "mozilla", "firefox"),
  ];
}

interface IniSection {
  readonly name: string;
  readonly values: Map<string, string>;
}

function parseIni(text: string): IniSection[] {
  const sections: IniSection[] = [];
  for (const line of text.split(/\r?\n/)) {
    const name = /^\[(.+)\]$/.exec(line)?.[1];
    if (name !== undefined) sections.push({ name, values: new Map() });
    const [, key, value] = /^([^=;#]+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) sections.at(-1)?.values.set(key, value);
  }
  return sections;
}

function looksLikePath(profile: string): boolean {
  return isAbsolute(profile) || /^\.{1,2}(?:[/\\]|$)/.test(profile);
}

async function firstFolder(folders: readonly string[], browser: string): Promise<string> {
  for (const folder of folders) if (await isFolder(folder)) return folder;
  throw new CliError(`${browser} keeps no profiles in ${folders[0] ?? ""}`, {
    hint: "is it installed for this user? `--browser-profile <path>` takes a profile folder from anywhere",
  });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function noSuchProfile(browser: string, profile: string, names: readonly string[]): CliError {
  return new CliError(`${browser} has no profile ${JSON.stringify(profile)}`, {
    hint: names.length === 0 ? "give the path of a profile folder" : `there are: ${names.join(", ")}`,
  });
}
