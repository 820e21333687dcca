// An S3 end that costs next to nothing: it throws away what is put and makes up what is got. Plain http, one bucket,
// no checks. Prints its port; ends with its parent.
import { createServer } from "node:http";

const madeBytes = Number(process.argv[2]);
const block = Buffer.alloc(1024 ** 2, "mawps ");
const xml = { "content-type": "application/xml" };
const object = { etag: '"00000000000000000000000000000000"', "last-modified": new Date(0).toUTCString() };
// The CRC32 of what is made up, given by the caller, so that a download has something to verify.
const madeCrc32 = process.argv[3];

function answer(request, response) {
  const { searchParams: query } = new URL(request.url, "http://localhost");
  if (request.method === "PUT") return response.writeHead(200, { etag: object.etag }).end();
  if (request.method === "POST" && query.has("uploads")) {
    const body = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
    return response.writeHead(200, xml).end(body);
  }
  if (request.method === "POST") {
    const body = `<CompleteMultipartUploadResult><ETag>${object.etag}</ETag></CompleteMultipartUploadResult>`;
    return response.writeHead(200, xml).end(body);
  }
  if (request.method === "GET" && query.has("uploads")) {
    const body = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>";
    return response.writeHead(200, xml).end(body);
  }
  if (request.method === "DELETE") return response.writeHead(204).end();
  return send(request, response);
}

function send(request, response) {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  const from = Number(first ?? 0);
  const to = last ? Number(last) : madeBytes - 1;
  const whole = first === undefined;
  response.writeHead(whole ? 200 : 206, {
    ...object,
    "content-length": to - from + 1,
    ...(whole ? {} : { "content-range": `bytes ${from}-${to}/${madeBytes}` }),
    ...(whole ? { "x-amz-checksum-crc32": madeCrc32, "x-amz-checksum-type": "FULL_OBJECT" } : {}),
  });
  if (request.method === "HEAD") return response.end();
  let position = from;
  const more = () => {
    while (position <= to) {
      const offset = position % block.length;
      const piece = block.subarray(offset, Math.min(block.length, offset + to - position + 1));
      position += piece.length;
      if (!response.write(piece)) return response.once("drain", more);
    }
    return response.end();
  };
  return more();
}

const server = createServer((request, response) => {
  request.on("end", () => answer(request, response)).resume();
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => server.closeAllConnections() ?? server.close()).resume();
