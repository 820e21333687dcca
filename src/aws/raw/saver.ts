import { Worker } from "node:worker_threads";
import { saveFile, type FileToSave, type Saved } from "./save-file.ts";

/** Saves files as `saveFile` does. */
export interface Saver {
  /** Takes the chunks for itself: nothing may read them any more. */
  save(chunks: readonly Uint8Array[], file: FileToSave): Promise<Saved>;
  close(): Promise<void>;
}

export interface SaveRequest {
  readonly id: number;
  readonly chunks: readonly Uint8Array[];
  readonly file: FileToSave;
}

export type SaveAnswer =
  | { readonly id: number; readonly saved: Saved }
  | {
      readonly id: number;
      /** What the system refused. */
      readonly refusal: Pick<NodeJS.ErrnoException, "message" | "code" | "syscall" | "path">;
    };

/**
 * A saver in another thread, so that hashing and writing take no time from what is being received. This thread does it until
 * that one has started, where the system gives no other (a limit of processes), and where there is no script: the bundled
 * `save-worker.ts`.
 */
export function openSaver(script: string | undefined): Saver {
  const worker = script === undefined ? undefined : startThread(script);
  return worker === undefined
    ? { save: async (chunks, file) => saveFile(chunks, file), close: async () => undefined }
    : threadedSaver(worker);
}

function startThread(script: string): Worker | undefined {
  try {
    return new Worker(script, { env: {} });
  } catch {
    return undefined;
  }
}

function threadedSaver(worker: Worker): Saver {
  const waiting = new Map<number, { resolve: (saved: Saved) => void; reject: (error: unknown) => void }>();
  let broken: { error: unknown } | undefined;
  let lastId = 0;
  let hasStarted = false;

  function fail(error: unknown): void {
    broken ??= { error };
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  worker.once("online", () => void (hasStarted = true));
  worker.on("message", (answer: SaveAnswer) => {
    const { resolve, reject } = waiting.get(answer.id) ?? {};
    waiting.delete(answer.id);
    if ("saved" in answer) resolve?.(answer.saved);
    else reject?.(Object.assign(new Error(answer.refusal.message), answer.refusal));
  });
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("the thread that saves files has ended")));

  return {
    async save(chunks, file) {
      if (broken !== undefined) throw broken.error;
      if (!hasStarted) return saveFile(chunks, file);
      const own = chunks.map(ownMemory);
      const id = (lastId += 1);
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        const request: SaveRequest = { id, chunks: own, file };
        worker.postMessage(
          request,
          own.map(({ buffer }) => buffer),
        );
      });
    },
    async close() {
      await worker.terminate();
    },
  };
}

/** Memory goes to another thread as a whole: a chunk that is a part of more is copied. */
function ownMemory(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = chunk;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? (chunk as Uint8Array<ArrayBuffer>)
    : new Uint8Array(chunk);
}
