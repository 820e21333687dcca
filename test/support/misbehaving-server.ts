import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";

/** How a server fails to answer, each request alike. */
export type Misbehaviour =
  /** Takes the connection and says nothing. */
  | "silent"
  /** Stops, or goes on a byte at a time without end. */
  | "stops in the head"
  | "drips the head"
  | "stops in the body"
  | "drips the body"
  /** Sends `100 Continue` without end. */
  | "only goes on"
  /** Reads nothing of what is sent. */
  | "takes no bytes";

export interface MisbehavingServer {
  readonly url: string;
  requests: number;
  close(): Promise<void>;
}

const beginnings: Readonly<Record<Misbehaviour, string>> = {
  silent: "",
  "takes no bytes": "",
  "only goes on": "",
  "stops in the head": "HTTP/1.1 200 OK\r\nx-amz-",
  "drips the head": "HTTP/1.1 200 OK\r\nx-amz-",
  "stops in the body": "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{",
  "drips the body": "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{",
};

/** A server on loopback that never comes to the end of an answer. */
export async function startMisbehavingServer(how: Misbehaviour): Promise<MisbehavingServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    misbehaving.requests += 1;
    if (how === "takes no bytes") return void socket.pause();
    socket.resume();
    socket.write(beginnings[how]);
    const rest = how.startsWith("drips")
      ? "a"
      : how === "only goes on"
        ? "HTTP/1.1 100 Continue\r\n\r\n"
        : "";
    if (rest === "") return;
    const timer = setInterval(() => socket.write(rest), 10);
    socket.once("close", () => clearInterval(timer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const misbehaving: MisbehavingServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return misbehaving;
}
