// An S3 end for listings of a bucket with many made-up objects, a page of 1,000 at next to no cost; everything else goes on to
// the served store behind it. Prints its port; ends with its parent.
import { createServer } from "node:http";
import { forwarder } from "./forward.mjs";

const [endpoint, bucket, count] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const forward = forwarder(new URL(endpoint));
const start = "users/";

/** In the order of the numbers: ids that stand as far apart as random ones do. */
function key(number) {
  const id = Math.floor((number * 2 ** 32) / count)
    .toString(16)
    .padStart(8, "0");
  return `${start}${id}-0000-4000-8000-000000000000/cv/Lebenslauf.pdf`;
}

/** The first number whose key is behind the text. */
function numberBehind(text) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (key(middle) > text) high = middle;
    else low = middle + 1;
  }
  return low;
}

function list(query) {
  const isOfVersions = query.has("versions");
  const prefix = query.get("prefix") ?? "";
  const marker =
    query.get(isOfVersions ? "key-marker" : "continuation-token") ?? query.get("start-after") ?? "";
  const first = numberBehind(marker < prefix ? prefix.slice(0, -1) : marker);
  const most = Number(query.get("max-keys") ?? 1000);
  const encoded = query.get("encoding-type") === "url" ? encodeURIComponent : String;
  const entries = [];
  let number = first;
  for (; number < count && entries.length < most && key(number).startsWith(prefix); number += 1) {
    const told =
      `<Key>${encoded(key(number))}</Key><Size>${1000 + (number % 1000)}</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified>` +
      `<ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag><StorageClass>STANDARD</StorageClass>`;
    entries.push(
      isOfVersions
        ? `<Version>${told}<VersionId>v${number}</VersionId><IsLatest>true</IsLatest></Version>`
        : `<Contents>${told}</Contents>`,
    );
  }
  const last = encoded(key(number - 1));
  const isCut = number < count && entries.length > 0 && key(number).startsWith(prefix);
  const next = isOfVersions
    ? `<NextKeyMarker>${last}</NextKeyMarker><NextVersionIdMarker>v${number - 1}</NextVersionIdMarker>`
    : `<NextContinuationToken>${key(number - 1)}</NextContinuationToken>`;
  const name = isOfVersions ? "ListVersionsResult" : "ListBucketResult";
  const coding = encoded === String ? "" : "<EncodingType>url</EncodingType>";
  return `<${name}><Name>${bucket}</Name>${coding}<IsTruncated>${isCut}</IsTruncated>${isCut ? next : ""}${entries.join("")}</${name}>`;
}

const server = createServer((incoming, outgoing) => {
  const { pathname, searchParams } = new URL(incoming.url, "http://localhost");
  const isList =
    incoming.method === "GET" &&
    pathname.replace(/\/$/, "") === `/${bucket}` &&
    (searchParams.has("versions") || searchParams.get("list-type") === "2");
  if (!isList) return forward(incoming, outgoing);
  outgoing.writeHead(200, { "content-type": "application/xml" }).end(list(searchParams));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => server.closeAllConnections() ?? server.close()).resume();
