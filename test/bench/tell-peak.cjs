// Required into a measured process: writes its peak resident memory (KiB) as it ends.
const { writeFileSync } = require("node:fs");
process.once("exit", () =>
  writeFileSync(process.env.BENCH_PEAK_FILE, String(process.resourceUsage().maxRSS)),
);
