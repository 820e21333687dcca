// A DynamoDB end that costs next to nothing: it takes every batch and throws it away, so many milliseconds later. Prints its
// port; ends with its parent: node discard-dynamodb.mjs <latency in ms>
import { createServer } from "node:http";
import { createRequire } from "node:module";

const { crc32 } = createRequire(import.meta.url)("node:zlib");
const latencyMs = Number(process.argv[2]);
const body = Buffer.from('{"UnprocessedItems":{}}');
const headers = {
  "content-type": "application/x-amz-json-1.0",
  "content-length": body.length,
  "x-amz-crc32": crc32(body),
};
const server = createServer((request, response) => {
  request.resume().once("end", () => {
    const answer = () => response.writeHead(200, headers).end(body);
    if (latencyMs === 0) answer();
    else setTimeout(answer, latencyMs);
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().once("end", () => process.exit());
