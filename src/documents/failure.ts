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
 * A failure of one document among several, as it is told; also one that nobody has foreseen, which is a bug, belongs to its
 * document alone. An abort ends the whole command: it is thrown again.
 */
export function failureOf(site: Pick<DocumentSite, "aws" | "signal">, error: unknown): CliError {
  site.signal.throwIfAborted();
  if (error instanceof CliError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const fault = fileFaults[code];
  if (fault !== undefined) return new CliError(fault, { cause: error });
  const explained = explain(error, { region: site.aws.region, endpointUrl: site.aws.endpointUrl });
  if (explained !== undefined) return explained;
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new CliError(`something unforeseen happened to it (${why}); this is a bug in mawps`, {
    hint: "--verbose tells more; please report it",
    cause: error,
  });
}
