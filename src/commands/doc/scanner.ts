import type { Scanner, Unasked } from "../../documents/scanning.ts";
import type { Run } from "../run.ts";

/** The scanner as configured, or that there is none. */
export function scannerOf({ config }: Run): Scanner | Unasked {
  const { "clamav.host": host, "clamav.port": port, "clamav.socket": socket } = config;
  const options = {
    timeoutMs: config["clamav.timeoutMs"],
    maxBytes: config["clamav.maxBytes"],
    policy: config.scanPolicy,
  };
  if (socket !== undefined) return { clamd: { socket }, ...options };
  return host === undefined ? "no-scanner" : { clamd: { host, port }, ...options };
}
