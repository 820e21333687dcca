#!/usr/bin/env node
"use strict";
// Starts dist/start.js with V8's compiled code of the last run, which halves the time to the first line.
// Node 22 has this built in; for Node 20 it is done here, per chunk, in the user's own cache folder.
const Module = require("node:module");
const { join } = require("node:path");

const dist = join(__dirname, "..", "dist");
const cache = cacheFolder();

if (Module.enableCompileCache) {
  Module.enableCompileCache(cache);
  require(join(dist, "start.js"));
} else {
  cachedRequire(dist, cache)("./start.js");
}

function cacheFolder() {
  const { env, platform, arch, version } = process;
  const home = env.HOME || env.USERPROFILE || "";
  const base =
    env.XDG_CACHE_HOME ||
    (platform === "win32"
      ? env.LOCALAPPDATA
      : platform === "darwin" && home && join(home, "Library", "Caches")) ||
    (home && join(home, ".cache"));
  return base ? join(base, "mawps", `${version}-${arch}`) : undefined;
}

function cachedRequire(folder, cacheRoot) {
  const fs = require("node:fs");
  const vm = require("node:vm");
  const outside = Module.createRequire(join(folder, "start.js"));
  const loaded = new Map();
  const fresh = [];

  const inside = (name) => {
    if (!name.startsWith("./")) return outside(name);
    const known = loaded.get(name);
    if (known) return known.exports;
    const filename = join(folder, name);
    const module = { exports: {} };
    loaded.set(name, module);
    const source = fs.readFileSync(filename, "utf8");
    const { mtimeMs, size } = fs.statSync(filename);
    const blob = cacheRoot && join(cacheRoot, `${name.slice(2)}.${size}.${Math.round(mtimeMs)}`);
    const cachedData = blob && readIfThere(blob);
    const script = new vm.Script(Module.wrap(source), { filename, cachedData });
    if (blob && (!cachedData || script.cachedDataRejected)) fresh.push({ blob, script });
    script.runInThisContext()(module.exports, inside, module, filename, folder);
    return module.exports;
  };

  function readIfThere(path) {
    try {
      return fs.readFileSync(path);
    } catch {
      return undefined;
    }
  }

  // After the run, so that the functions it used are in; a cache that cannot be written is done without.
  process.once("exit", () => {
    if (fresh.length === 0) return;
    try {
      fs.mkdirSync(cacheRoot, { recursive: true, mode: 0o700 });
      // What belongs to an earlier build would stay for ever; it is made anew where it is still wanted.
      for (const name of fs.readdirSync(cacheRoot)) {
        const [, chunk, size] = /^(.*\.js)\.(\d+)\.\d+$/.exec(name) || [];
        const stat = chunk && fs.statSync(join(folder, chunk), { throwIfNoEntry: false });
        if (!stat || stat.size !== Number(size)) fs.rmSync(join(cacheRoot, name), { force: true });
      }
      for (const { blob, script } of fresh) {
        fs.writeFileSync(`${blob}.${process.pid}`, script.createCachedData(), { mode: 0o600 });
        fs.renameSync(`${blob}.${process.pid}`, blob);
      }
    } catch {}
  });
  return inside;
}
