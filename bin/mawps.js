#!/usr/bin/env node
"use strict";
// Starts dist/start.js with V8's compiled code of the last run of the same command, which saves half of the time to
// the first line. Node 22 has this built in; for Node 20 it is done here, in the user's own cache folder: one file a
// command, with the chunks that it loaded and their compiled code, since fifty small reads cost as much as compiling.
const Module = require("node:module");
const { join } = require("node:path");

const dist = join(__dirname, "..", "dist");
const cache = cacheFolder();

if (Module.enableCompileCache) {
  Module.enableCompileCache(cache);
  require(join(dist, "start.js"));
} else {
  packedRequire(dist, cache)("./start.js");
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

function packedRequire(folder, cacheRoot) {
  const fs = require("node:fs");
  const vm = require("node:vm");
  const outside = Module.createRequire(join(folder, "start.js"));
  // The names of all other chunks hold a hash of their content; this one stands for the build.
  const { mtimeMs, size } = fs.statSync(join(folder, "start.js"));
  const build = `${Math.round(mtimeMs)}-${size}`;
  const words = process.argv.slice(2).filter((word) => /^[a-z-]{2,20}$/.test(word) && !word.startsWith("-"));
  const pack = cacheRoot && join(cacheRoot, `${build}.${words.slice(0, 2).join(".") || "mawps"}`);
  const packed = (pack && readPack(pack)) || new Map();
  const loaded = new Map();
  let isStale = false;

  function inside(name) {
    if (!name.startsWith("./")) return outside(name);
    const known = loaded.get(name);
    if (known) return known.module.exports;
    const filename = join(folder, name);
    const module = { exports: {} };
    const { source, cachedData } = packed.get(name) || { source: fs.readFileSync(filename, "utf8") };
    const script = new vm.Script(Module.wrap(source), { filename, cachedData });
    if (!cachedData || script.cachedDataRejected) isStale = true;
    loaded.set(name, { module, script, source });
    script.runInThisContext()(module.exports, inside, module, filename, folder);
    return module.exports;
  }

  /** One line of JSON with name, bytes of source and bytes of compiled code of each chunk, then these bytes. */
  function readPack(path) {
    try {
      const bytes = fs.readFileSync(path);
      let at = bytes.indexOf(10) + 1;
      const chunks = new Map();
      for (const [name, sourceBytes, codeBytes] of JSON.parse(bytes.latin1Slice(0, at))) {
        const source = bytes.utf8Slice(at, (at += sourceBytes));
        chunks.set(name, { source, cachedData: bytes.subarray(at, (at += codeBytes)) });
      }
      return chunks;
    } catch {
      return undefined;
    }
  }

  // After the run, so that the functions it used are in; a cache that cannot be written is done without.
  process.once("exit", () => {
    if (!isStale || !pack) return;
    try {
      for (const [name, { script, source }] of loaded) {
        packed.set(name, { source, cachedData: script.createCachedData() });
      }
      const chunks = [...packed].map(([name, { source, cachedData }]) => [
        name,
        Buffer.from(source),
        cachedData,
      ]);
      const head = JSON.stringify(chunks.map(([name, source, code]) => [name, source.length, code.length]));
      fs.mkdirSync(cacheRoot, { recursive: true, mode: 0o700 });
      // What an earlier build left would stay for ever.
      for (const name of fs.readdirSync(cacheRoot)) {
        if (!name.startsWith(`${build}.`)) fs.rmSync(join(cacheRoot, name), { force: true, recursive: true });
      }
      const bytes = Buffer.concat([
        Buffer.from(`${head}\n`),
        ...chunks.flatMap(([, source, code]) => [source, code]),
      ]);
      fs.writeFileSync(`${pack}.${process.pid}`, bytes, { mode: 0o600 });
      fs.renameSync(`${pack}.${process.pid}`, pack);
    } catch {}
  });
  return inside;
}
