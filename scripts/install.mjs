// Installs what package-lock.json names, unless that is what is installed already. Needs nothing but Node and npm.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const marker = "node_modules/.mawps-installed";

/** Runs a program in the foreground; resolves to whether it ended well. */
export function run(command, args) {
  const shell = process.platform === "win32";
  return spawnSync(command, args, { stdio: "inherit", shell }).status === 0;
}

/** @returns whether everything is installed now */
export function install() {
  const wanted = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
  if (read(marker) === wanted) return true;
  if (!run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"])) return false;
  writeFileSync(marker, wanted);
  return true;
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
