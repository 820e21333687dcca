import { main } from "./main.ts";
import { realWorld } from "./real-world.ts";

/**
 * The process: signals become one AbortSignal, a reader that goes away ends the program quietly, and the exit
 * code is set rather than forced, so that what was written to a pipe is still flushed.
 */
export async function start(): Promise<void> {
  const controller = new AbortController();
  // Once each: a second Ctrl-C finds no listener and ends the process at once, without any clean-up.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => controller.abort());
  for (const stream of [process.stdout, process.stderr]) {
    // `| head -1` closes the pipe: nobody is left to read, so stop without a stack.
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      controller.abort();
    });
  }
  // Node 20 is supported here on purpose; the SDK's note about it would spoil stderr for machines.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  process.exitCode = await main(process.argv.slice(2), realWorld(controller.signal));
}

void start();
