// `npm run demo`: install, build, and the main job on a temporary local store.
import { install, run } from "./install.mjs";

const ready = install() && run(process.execPath, ["scripts/build.mjs"]);
process.exitCode = ready && run(process.execPath, ["bin/mawps.js", "demo", ...process.argv.slice(2)]) ? 0 : 1;
