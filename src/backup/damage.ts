import { CliError, exitCodes } from "../errors.ts";

/** Something of the repository is not what was written: missing, cut off, changed, or another one's. */
export class DamagedError extends CliError {
  constructor(what: string, cause?: unknown) {
    super(what, {
      exitCode: exitCodes.findings,
      hint: "`mawps backup verify --all` shows all that is damaged; another snapshot may still be whole",
      cause,
    });
  }
}
