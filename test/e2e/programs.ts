import { spawn } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { TestContext } from "vitest";

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, in an environment of nothing but this. */
export function run(
  program: string,
  args: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (data: string) => (stdout += data));
    child.stderr.setEncoding("utf8").on("data", (data: string) => (stderr += data));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/**
 * Where a client is installed: in /usr/bin, where the distribution's own is, else on the PATH. Where it is not, the
 * test is skipped by name, or fails when `CI` is set: there it has to be installed.
 */
export async function installed(name: string, context: TestContext): Promise<string> {
  for (const folder of ["/usr/bin", ...(process.env["PATH"] ?? "").split(delimiter)]) {
    const path = join(folder, name);
    if (folder !== "" && (await isExecutable(path))) return path;
  }
  const reason = `${name} is not installed`;
  if (process.env["CI"] !== undefined && process.env["CI"] !== "") throw new Error(reason);
  return context.skip(reason);
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
