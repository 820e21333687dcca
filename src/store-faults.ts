import { StoreError, type StoreFault } from "@mawps/local-aws/src/errors.ts";
import { CliError, exitCodes } from "./errors.ts";

const hints: Readonly<Record<Exclude<StoreFault, "in-use">, string>> = {
  damaged: "put it back from a copy, or delete the store's folder to start anew",
  "newer-format": "update mawps, or use another folder with MAWPS_HOME",
  "no-folder": "set MAWPS_HOME (or `home` in the configuration) to a folder",
  "no-store": "nothing was deleted; mawps local path prints the folder that is used",
  "not-empty": "choose another folder with MAWPS_HOME",
  port: "choose another with --port, or any free one with --port 0",
  served: "stop mawps local serve first",
  "symbolic-link": "is this folder somebody else's? nothing was changed; MAWPS_HOME names another one",
};

/** What keeps the local store from being used, with what to do about it; every other error as it is. */
export async function tellingFaults<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    if (!(error instanceof StoreError)) throw error;
    const hint = error.fault === "in-use" ? waitFor(error.pid) : hints[error.fault];
    const exitCode = error.fault === "no-folder" ? exitCodes.usage : exitCodes.failed;
    throw new CliError(error.message, { hint, exitCode, cause: error.cause });
  });
}

function waitFor(pid: number | undefined): string {
  const end = pid === undefined ? "" : `, or end it (kill ${pid})`;
  return `wait for it to end${end}, then try again`;
}
