// `npm run bench [part...]`: ratios against a peer or a floor measured in the same run. Fails when a bar is missed.
import { missedBars } from "../test/bench/measure.mjs";

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

const parts = {
  model: async () => (await import("../test/bench/model.mjs")).model(),
  start: async () => (await import("../test/bench/start.mjs")).start(),
  latency: async () => (await import("../test/bench/latency.mjs")).latency(),
  hero: async () => (await import("../test/bench/hero.mjs")).hero(),
  transfer: async () => (await import("../test/bench/transfer.mjs")).transfer(),
  retention: async () => (await import("../test/bench/retention.mjs")).retention(),
  progress: async () => (await import("../test/bench/progress.mjs")).progress(),
  documents: async () => (await import("../test/bench/documents.mjs")).documents(),
  usage: async () => (await import("../test/bench/usage.mjs")).usageOfObjects(),
  inventory: async () => (await import("../test/bench/inventory.mjs")).inventoryLines(),
  report: async () => (await import("../test/bench/report.mjs")).reportOfUsers(),
  users: async () => (await import("../test/bench/users.mjs")).users(),
  erase: async () => (await import("../test/bench/person.mjs")).erase(),
  export: async () => (await import("../test/bench/person.mjs")).exported(),
  sql: async () => (await import("../test/bench/sql.mjs")).databases(),
  purge: async () => (await import("../test/bench/purge.mjs")).purge(),
  "backup-export": async () => (await import("../test/bench/backup-export.mjs")).backupExport(),
  "backup-import": async () => (await import("../test/bench/backup-import.mjs")).backupImport(),
};
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0)
  throw new Error(`no such part: ${unknown.join(", ")}; there are ${Object.keys(parts).join(", ")}`);
for (const name of asked.length > 0 ? asked : Object.keys(parts)) await parts[name]();
process.exitCode = missedBars() === 0 ? 0 : 1;
