// Required into a measured process: writes how many calls deleted objects as it ends.
const { subscribe } = require("node:diagnostics_channel");
const { writeFileSync } = require("node:fs");
let calls = 0;
subscribe("http.client.request.start", ({ request }) => {
  const { method, path } = request;
  if (
    (method === "POST" && /[?&]delete(=|&|$)/.test(path)) ||
    (method === "DELETE" && !/uploadId=/.test(path))
  )
    calls += 1;
});
process.once("exit", () => writeFileSync(process.env.BENCH_DELETES_FILE, String(calls)));
