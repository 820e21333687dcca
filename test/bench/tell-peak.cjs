// Required into a measured process: writes its peak resident memory (KiB) and the microseconds of its threads on a core as it ends.
const { writeFileSync } = require("node:fs");
process.once("exit", () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  writeFileSync(process.env.BENCH_PEAK_FILE, `${maxRSS} ${userCPUTime + systemCPUTime}`);
});
