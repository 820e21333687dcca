// An S3 end that costs next to nothing: keeps objects in memory and checks nothing. What is no document (DynamoDB, the
// anchor of the audit trail, settings of buckets) goes on to the served store behind it. Prints its port; ends with its
// parent.
import { createServer } from "node:http";
import { forwarder } from "./forward.mjs";

const forward = forwarder(new URL(process.argv[2]));
const ours = /^\/[^/]+\/(?:bench|public\/documents)\//;
const objects = new Map();

function put(path, { headers }, bytes) {
  objects.set(path, { bytes, headers, at: new Date().toUTCString() });
  const crc32 = headers["x-amz-checksum-crc32"];
  return [
    200,
    { etag: '"00000000000000000000000000000000"', ...(crc32 && { "x-amz-checksum-crc32": crc32 }) },
  ];
}

function list(bucket, prefix) {
  const within = [...objects.entries()].filter(([path]) => path.startsWith(`/${bucket}/${prefix}`));
  const contents = within.map(
    ([path, { bytes }]) =>
      `<Contents><Key>${path.slice(bucket.length + 2)}</Key><Size>${bytes.length}</Size>` +
      "<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;0&quot;</ETag></Contents>",
  );
  return [
    200,
    { "content-type": "application/xml" },
    `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join("")}</ListBucketResult>`,
  ];
}

function get(path) {
  const stored = objects.get(path);
  if (stored === undefined) return [404, {}];
  const kept = Object.entries(stored.headers).filter(([name]) => /^x-amz-meta-|^content-type$/.test(name));
  const headers = {
    "last-modified": stored.at,
    etag: '"00000000000000000000000000000000"',
    "content-length": stored.bytes.length,
  };
  return [200, { ...Object.fromEntries(kept), ...headers }, stored.bytes];
}

const server = createServer((incoming, outgoing) => {
  const { pathname, searchParams } = new URL(incoming.url, "http://localhost");
  const path = decodeURIComponent(pathname);
  const prefix = searchParams.get("prefix") ?? "";
  const isList =
    incoming.method === "GET" && searchParams.get("list-type") === "2" && prefix.startsWith("bench");
  if (!isList && !ours.test(path)) return forward(incoming, outgoing);
  const chunks = [];
  incoming.on("data", (chunk) => void chunks.push(chunk));
  incoming.on("end", () => {
    const [status, headers, body] = isList
      ? list(path.split("/")[1], prefix)
      : incoming.method === "PUT"
        ? put(path, incoming, Buffer.concat(chunks))
        : get(path);
    outgoing.writeHead(status, headers).end(incoming.method === "HEAD" ? undefined : body);
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => server.closeAllConnections() ?? server.close()).resume();
