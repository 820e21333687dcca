import { setMaxListeners } from "node:events";
import { main } from "./main.ts";
import { realWorld } from "./real-world.ts";

/**
 * The process: signals become one AbortSignal, a reader that goes away ends the program quietly, and the exit
 * code is set rather than forced, so that what was written to a pipe is still flushed.
 */
export async function start(): Promise<void> {
  const controller = new AbortController();
  // Every call under way listens: ten at once are no leak, and Node's warning would spoil stderr.
  setMaxListeners(0, controller.signal);
  // Once each: a second Ctrl-C finds no listener and ends the process at once, without any clean-up.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => controller.abort());
  // `| head -1` closes the pipe, a disk is full: a result that cannot be told ends the program, with the reason.
  process.stdout.on("error", (error) => controller.abort(error));
  // Notes that nobody can read are no reason to stop.
  process.stderr.on("error", () => undefined);
  // Node 20 is supported here on purpose; the SDK's note about it would spoil stderr for machines.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  process.exitCode = await main(process.argv.slice(2), realWorld(controller.signal));
}

void start();
