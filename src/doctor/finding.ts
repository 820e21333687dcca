/** One thing that was looked at: plain data, for a table and for JSON. */
export interface Finding {
  readonly check: string;
  readonly subject: string;
  /** `warning`: works, but look at it. `problem`: something is wrong. `skipped`: could not be looked at. */
  readonly status: "ok" | "warning" | "problem" | "skipped";
  readonly message: string;
  /** What to do, in one line, with the very command where there is one. */
  readonly remedy?: string;
}
