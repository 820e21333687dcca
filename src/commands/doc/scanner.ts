import type { Scanner, Unasked } from "../../documents/scanning.ts";
import type { Run } from "../run.ts";

/** The scanner as configured, or that there is none. */
export function scannerOf({ config }: Run): Scanner | Unasked {
  const { host, port, socket, timeoutMs, maxBytes } = config.clamav;
  const options = { timeoutMs, maxBytes, policy: config.scanPolicy };
  if (socket !== undefined) return { clamd: { socket }, ...options };
  return host === undefined ? "no-scanner" : { clamd: { host, port }, ...options };
}
