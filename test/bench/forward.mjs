// Hands requests that a thin server does not answer itself on to the served store behind it.
import { request as ask } from "node:http";

/** @param {URL} behind */
export function forwarder(behind) {
  return (incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const onward = ask({ host: behind.hostname, port: behind.port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  };
}
