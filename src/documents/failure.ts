import { explain } from "../aws/explain/explain.ts";
import { CliError } from "../errors.ts";
import type { DocumentSite } from "./site.ts";

const fileFaults: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EACCES: "it may not be read",
  EPERM: "it may not be read",
  EISDIR: "it is a folder",
  ELOOP: "its links lead in a circle",
  EBUSY: "another program keeps it closed",
};

/**
 * A failure of one document among several, as it is told. An abort and what is a bug end the whole command: these are
 * thrown again.
 */
export function failureOf(site: Pick<DocumentSite, "aws" | "signal">, error: unknown): CliError {
  site.signal.throwIfAborted();
  if (error instanceof CliError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const fault = fileFaults[code];
  if (fault !== undefined) return new CliError(fault, { cause: error });
  const explained = explain(error, { region: site.aws.region, endpointUrl: site.aws.endpointUrl });
  if (explained === undefined) throw error;
  return explained;
}
