import { dirname, join, resolve } from "node:path";
import type { ConfigFile } from "./config.ts";
import { replaceFile, writeNewFile } from "../atomic-file.ts";
import { CliError, exitCodes } from "../errors.ts";
import { readTextFile } from "../text-file.ts";
import type { World } from "../world.ts";

export const configFileName = "mawps.config.json";

/** A configuration file as it was read. */
export interface FoundFile extends ConfigFile {
  readonly text: string;
  /** Whether the user named it, or it lies in their own folder; not where it was come upon. */
  readonly isOwnWord: boolean;
}

/**
 * The configuration file: the one named by `--config` or `MAWPS_CONFIG`, else the nearest upwards from the
 * current folder, else the user's own.
 * @throws CliError (usage) when a named file is missing, or any file cannot be read or is not JSON.
 */
export async function findConfigFile(
  world: Pick<World, "cwd" | "home" | "env" | "platform">,
  named: string | undefined,
): Promise<FoundFile | undefined> {
  const explicit = named ?? nonEmpty(world.env["MAWPS_CONFIG"]);
  if (explicit !== undefined) {
    const path = resolve(world.cwd, explicit);
    const found = await read(path, { isOwnWord: true });
    if (found === undefined) {
      throw new CliError(`no configuration file at ${path}`, {
        exitCode: exitCodes.usage,
        hint: "check --config and MAWPS_CONFIG, or make one with `mawps init`",
      });
    }
    return found;
  }
  for (let folder = world.cwd; ; folder = dirname(folder)) {
    const found = await read(join(folder, configFileName), { isOwnWord: folder === userConfigFolder(world) });
    if (found !== undefined) return found;
    if (dirname(folder) === folder) break;
  }
  return read(join(userConfigFolder(world), configFileName), { isOwnWord: true });
}

/** The folder of the user's own configuration. */
export function userConfigFolder(world: Pick<World, "home" | "env" | "platform">): string {
  const base =
    world.platform === "win32"
      ? (nonEmpty(world.env["APPDATA"]) ?? join(world.home, "AppData", "Roaming"))
      : (nonEmpty(world.env["XDG_CONFIG_HOME"]) ?? join(world.home, ".config"));
  return join(base, "mawps");
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

/** Of a configuration with an address for each table and bucket, a hundred times over. */
const mostBytes = 1_000_000;

async function read(path: string, { isOwnWord }: { isOwnWord: boolean }): Promise<FoundFile | undefined> {
  // A pipe that was come upon is not waited for.
  const named = { what: "a configuration", mostBytes, takesPipes: isOwnWord };
  const text = await readTextFile(path, named);
  if (text === undefined) return undefined;
  try {
    return { path, text, isOwnWord, values: JSON.parse(text) as unknown };
  } catch (error) {
    throw new CliError(`${path} is not valid JSON: ${(error as Error).message}`, {
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
}

/**
 * Writes a configuration file, whole or not at all, and answers its text.
 * @throws CliError when there is one already and `replace` is not set.
 */
export async function writeConfigFile(
  path: string,
  values: Readonly<Record<string, unknown>>,
  { replace }: { replace: boolean },
): Promise<string> {
  const text = `${JSON.stringify(values, undefined, 2)}\n`;
  const written = { mode: 0o666, hint: "pass --overwrite to replace it" };
  await (replace ? replaceFile(path, [text], written) : writeNewFile(path, [text], written));
  return text;
}
