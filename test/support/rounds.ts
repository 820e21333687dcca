import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A server far away, in whose time nothing counts but calls that wait for each other. */
export interface FarServer {
  readonly endpoint: string;
  /**
   * Runs `work` with answers that come in rounds: none before this process can do nothing more without one, then all of them at once.
   * Answers the calls of each round: so many rounds, so many calls one after another. `now` tells how many have been answered.
   */
  rounds<T>(work: (now: () => number) => Promise<T>): Promise<{ result: T; rounds: string[][] }>;
  stop(): Promise<void>;
}

/** Whether this machine tells of threads that work. */
export const tellsOfThreads = process.platform === "linux";

/** A server that passes each request on to one in this process. Outside of `rounds` its answers come at once. */
export async function startFarServer(behind: string): Promise<FarServer> {
  const { hostname, port } = new URL(behind);
  let counted: { began: number; held: (() => void)[]; rounds: string[][] } | undefined;
  let events = 0;

  function pass(asked: IncomingMessage, answer: ServerResponse): void {
    const round = counted;
    events += 1;
    if (round !== undefined) {
      round.began += 1;
      (round.rounds[round.rounds.length - 1] ?? []).push(nameOf(asked));
    }
    const { method, url: path, headers } = asked;
    const passed = ask({ host: hostname, port, method, path, headers });
    passed.once("error", () => answer.destroy());
    passed.once("response", (got) => {
      const chunks: Buffer[] = [];
      got.on("data", (chunk: Buffer) => {
        events += 1;
        chunks.push(chunk);
      });
      got.once("end", () => {
        events += 1;
        const send = () => {
          answer.writeHead(got.statusCode ?? 500, got.headers);
          answer.end(Buffer.concat(chunks));
        };
        if (round === undefined) send();
        else round.held.push(send);
      });
    });
    asked.pipe(passed);
  }

  /** Many turns of the event loop in which nothing has come, while no other thread works. */
  async function idle(): Promise<void> {
    let seen = -1;
    for (let turns = 0; turns < 100; turns += 1) {
      await new Promise(setImmediate);
      if (events !== seen || isAnyThreadAtWork()) turns = 0;
      seen = events;
    }
  }

  const server = createServer(pass);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async rounds(work) {
      const state = { began: 0, held: [] as (() => void)[], rounds: [[]] as string[][] };
      counted = state;
      const working = work(() => state.rounds.length - 1);
      const done = working.then(
        () => true,
        () => true,
      );
      const isDone = () => Promise.race([done, Promise.resolve(false)]);
      while (!(await isDone())) {
        await idle();
        const { held, began } = state;
        if (held.length === 0 || held.length < began) continue;
        state.held = [];
        state.began = 0;
        state.rounds.push([]);
        for (const send of held) send();
      }
      counted = undefined;
      return { result: await working, rounds: state.rounds.filter((calls) => calls.length > 0) };
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Operation and what it is about. */
function nameOf({ method = "", url = "", headers }: IncomingMessage): string {
  const target = headers["x-amz-target"];
  return typeof target === "string" ? target.replace(/^.*\./, "") : `${method} ${decodeURIComponent(url)}`;
}

/** Whether a thread of this process besides the one that asks is running, about to run, or waiting for a disk. */
function isAnyThreadAtWork(): boolean {
  return readdirSync("/proc/self/task").some((thread) => {
    if (thread === String(process.pid)) return false;
    try {
      const [state] = readFileSync(`/proc/self/task/${thread}/stat`, "utf8").replace(/^.*\) /s, "");
      return state === "R" || state === "D";
    } catch {
      // It has ended meanwhile.
      return true;
    }
  });
}
