import { setMaxListeners } from "node:events";

/** A signal to which every call under way may listen, as the real program's is. Default: one that nobody gives. */
export function quietly(signal = new AbortController().signal): AbortSignal {
  setMaxListeners(0, signal);
  return signal;
}
