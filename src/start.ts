import { setMaxListeners } from "node:events";
import { homedir } from "node:os";
import { join } from "node:path";
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
  // A second Ctrl-C ends the process at once, without any clean-up. The listener stays until then: a spinner's own one, which
  // shows the cursor again, ends the process as soon as it finds itself alone.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const stop = () => {
      if (!controller.signal.aborted) return controller.abort();
      process.off(name, stop);
      process.kill(process.pid, name);
    };
    process.on(name, stop);
  }
  // `| head -1` closes the pipe, a disk is full: a result that cannot be told ends the program, with the reason.
  process.stdout.on("error", (error) => controller.abort(error));
  // Node 20 is supported here on purpose; the SDK's note about it would spoil stderr for machines.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";
  giveHome();
  const saveWorker = join(__dirname, "save-worker.js");
  // A question whose terminal has ended (Ctrl-D) is never answered, and nothing else may be left to do: that is an interruption.
  const unanswered = () => controller.abort();
  process.once("beforeExit", unanswered);
  process.exitCode = await main(process.argv.slice(2), realWorld(controller.signal, saveWorker));
  process.off("beforeExit", unanswered);
}

/** A user id without an account (some containers) has no home: `/` stands for it, as Docker has it. The SDK looks there, too. */
function giveHome(): void {
  if (process.env["HOME"] !== undefined) return;
  try {
    homedir();
  } catch {
    process.env["HOME"] = "/";
  }
}

void start();
