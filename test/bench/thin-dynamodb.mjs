// A DynamoDB end that costs next to nothing: one table of items of about 1 KB, copied from pages that were written once, so that
// a million takes no more memory than a thousand; it can only be scanned. All else goes on to the served store behind it.
// Prints its port; ends with its parent: node thin-dynamodb.mjs <behind> <table> <items> [profile|flat]
import { createServer, request as ask } from "node:http";
import { createRequire } from "node:module";

const { crc32 } = createRequire(import.meta.url)("node:zlib");
const behind = new URL(process.argv[2]);
const table = process.argv[3];
const items = Number(process.argv[4]);
const itemBytes = 1024;
/** DynamoDB's page is 1 MB, of the items without their JSON. */
const perPage = 1000;

// Words by a fixed chance: they compress as text does, and every run has the same.
let state = 1;
const chance = (below) => (state = (state * 48_271) % 2_147_483_647) % below;
const words = Array.from({ length: 4096 }, () =>
  Array.from({ length: 3 + chance(9) }, () => String.fromCharCode(97 + chance(26))).join(""),
);
const phrase = (count) => Array.from({ length: count }, () => words[chance(words.length)]).join(" ");
const digits = 9;
const idOf = (number) => `user-${String(number).padStart(digits, "0")}`;

/** A profile of about 1 KB as the website writes it: a document, a page of progress with its steps. */
function profile() {
  const time = { S: "2026-01-01T00:00:00.000Z" };
  const step = (done) => ({ M: { completed: { BOOL: done }, completedAt: time } });
  const page = {
    firstVisit: time,
    visitCount: { N: "3" },
    completed: { BOOL: false },
    completionPercentage: { N: String(chance(101)) },
    formData: { M: { answer: { S: phrase(20) } } },
    steps: { M: { "step-1": step(true), "step-2": step(false) } },
  };
  const document = {
    id: { S: phrase(2) },
    name: { S: "Lebenslauf.pdf" },
    type: { S: "cv" },
    s3Key: { S: `public/documents/${phrase(2)}/cv/1734384121711-cv.pdf` },
    size: { N: String(chance(1_000_000)) },
    uploadedAt: time,
  };
  return {
    userId: { S: idOf(0) },
    type: { S: "user-profile" },
    email: { S: `${phrase(1)}@example.com` },
    name: { S: phrase(2) },
    createdAt: time,
    documents: { L: [{ M: document }] },
    progressData: { M: { pages: { M: { ikigai: { M: page } } } } },
    lastProgressUpdate: time,
  };
}

/** Pages that were written once; the ids, of a fixed width, are set before each is sent. */
const shape = process.argv[5] ?? "profile";
const one = () =>
  shape === "profile" ? profile() : { userId: { S: idOf(0) }, text: { S: phrase(200).slice(0, 960) } };
const templates = Array.from({ length: 8 }, () => {
  const text = Array.from({ length: perPage }, () => JSON.stringify(one())).join(",");
  const bytes = Buffer.from(text);
  const places = [];
  const mark = `"userId":{"S":"user-`;
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1))
    places.push(at + mark.length);
  const ends = places.map((place, at) =>
    at + 1 < places.length ? bytes.lastIndexOf(",{", places[at + 1]) : bytes.length,
  );
  return { bytes, places, ends };
});

function page({ Segment: segment = 0, TotalSegments: segments = 1, ExclusiveStartKey: behindKey }) {
  const end = Math.floor((items * (segment + 1)) / segments);
  const first =
    behindKey === undefined
      ? Math.floor((items * segment) / segments)
      : Number(behindKey.userId.S.slice("user-".length)) + 1;
  const count = Math.min(perPage, end - first);
  const { bytes, places, ends } = templates[Math.floor(first / perPage) % templates.length];
  const found = Buffer.from(bytes.subarray(0, count === 0 ? 0 : ends[count - 1]));
  for (let at = 0; at < count; at += 1)
    found.latin1Write(String(first + at).padStart(digits, "0"), places[at], digits);
  const last = first + count - 1;
  const next = last + 1 < end ? `,"LastEvaluatedKey":{"userId":{"S":"${idOf(last)}"}}` : "";
  const cost = `"ConsumedCapacity":{"TableName":"${table}","CapacityUnits":128.5}`;
  return [`{${cost},"Count":${count},"Items":[`, found, `],"ScannedCount":${count}${next}}`];
}

function send(outgoing, body) {
  const bytes = Buffer.concat(body.map((piece) => Buffer.from(piece)));
  outgoing
    .writeHead(200, {
      "content-type": "application/x-amz-json-1.0",
      "content-length": bytes.length,
      "x-amz-crc32": String(crc32(bytes)),
    })
    .end(bytes);
}

/** `change`, where given, gets the whole answer. */
function forward({ method, url, headers }, outgoing, { body, change }) {
  const to = { host: behind.hostname, port: behind.port, method, path: url, headers };
  const onward = ask(to, (answer) => {
    if (change === undefined || answer.statusCode !== 200) {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
      return;
    }
    const chunks = [];
    answer.on("data", (chunk) => void chunks.push(chunk));
    answer.on("end", () => send(outgoing, [change(Buffer.concat(chunks).toString())]));
  });
  onward.end(body);
}

/** The table says how large it is. */
function measured(answer) {
  const described = JSON.parse(answer);
  Object.assign(described.Table, { ItemCount: items, TableSizeBytes: items * itemBytes });
  return JSON.stringify(described);
}

const server = createServer((incoming, outgoing) => {
  const chunks = [];
  incoming.on("data", (chunk) => void chunks.push(chunk));
  incoming.on("end", () => {
    const body = Buffer.concat(chunks);
    const operation = (incoming.headers["x-amz-target"] ?? "").split(".")[1];
    const isOurs =
      (operation === "Scan" || operation === "DescribeTable") && JSON.parse(body).TableName === table;
    if (isOurs && operation === "Scan") return send(outgoing, page(JSON.parse(body)));
    forward(incoming, outgoing, { body, change: isOurs ? measured : undefined });
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => server.closeAllConnections() ?? server.close()).resume();
