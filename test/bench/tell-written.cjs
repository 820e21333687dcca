// Required into a measured process: writes how many bytes it has given the disk (Linux) as it ends.
const { readFileSync, writeFileSync } = require("node:fs");
process.once("exit", () => {
  const [, bytes] = /^write_bytes: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"));
  writeFileSync(process.env.BENCH_WRITTEN_FILE, bytes);
});
