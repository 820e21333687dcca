// Inserts one message after the other, each a transaction of its own, until its standard input ends. The last letter that came by it says to what
// a message counts. Prints for each letter the 99th percentile and the median in milliseconds, and how many they were. Arguments: the URL of
// a database of the tests, whose server listens on a socket.
const url = new URL(process.argv[2]);
const host = url.searchParams.get("socket");
const database = url.pathname.slice(1);

const engines = {
  async "mysql:"() {
    const mysql = await import("mysql2/promise");
    const connection = await mysql.createConnection({ socketPath: host, user: "root", database });
    const statement =
      "INSERT INTO chat_messages (id, session_id, content, type) VALUES (UUID(), 'live', 'Guten Tag', 'user')";
    return { insert: () => connection.query(statement), end: () => connection.end() };
  },
  async "postgres:"() {
    const { default: pg } = await import("pg");
    const client = new pg.Client({ host, user: "tester", database });
    await client.connect();
    const statement = `INSERT INTO messages (id, content, created_at) VALUES (gen_random_uuid()::text, 'Guten Tag', now())`;
    return { insert: () => client.query(statement), end: () => client.end() };
  },
};

const { insert, end } = await engines[url.protocol]();
let letter = "";
process.stdin.on("data", (text) => (letter = String(text).at(-1)));
const took = {};
while (!process.stdin.readableEnded) {
  const counts = letter;
  const begun = performance.now();
  await insert();
  (took[counts] ??= []).push(performance.now() - begun);
}
await end();
const figures = (all) => {
  const sorted = all.toSorted((one, other) => one - other);
  const at = (share) => sorted[Math.floor((sorted.length - 1) * share)];
  return { p99: at(0.99), median: at(0.5), most: at(1), count: sorted.length };
};
console.log(
  JSON.stringify(Object.fromEntries(Object.entries(took).map(([name, all]) => [name, figures(all)]))),
);
