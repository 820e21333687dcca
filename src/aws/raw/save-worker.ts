import { parentPort } from "node:worker_threads";
import { saveFile } from "./save-file.ts";
import type { SaveAnswer, SaveRequest } from "./saver.ts";

// The other thread of `openSaver`: a program of its own, of which nothing is imported.
parentPort?.on("message", (request: SaveRequest) => parentPort?.postMessage(answer(request)));

function answer({ id, chunks, file }: SaveRequest): SaveAnswer {
  try {
    return { id, saved: saveFile(chunks, file) };
  } catch (error) {
    // An error itself would arrive without its code.
    const { message, code, syscall, path } = error as NodeJS.ErrnoException;
    return { id, refusal: { message, code, syscall, path } };
  }
}
