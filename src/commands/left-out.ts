import type { Run } from "./run.ts";

/** Secrets that are named; what more there are is counted. */
const mostNamed = 20;

/** Tells which secrets are not in what a command prints, writes or stores. */
export function tellLeftOut(run: Run, paths: readonly string[]): void {
  if (paths.length === 0) return;
  const more = paths.length > mostNamed ? ` and ${paths.length - mostNamed} more` : "";
  run.warn(`left out, as they are secret: ${paths.slice(0, mostNamed).join(", ")}${more}`);
}
