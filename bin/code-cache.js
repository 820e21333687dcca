"use strict";
// Keeps V8's compiled code in the user's own cache folder. Node 22 has this built in. For Node 20, and to be deleted with it,
// it is done here: one file a command, with the chunks that it loaded and their compiled code, since fifty small reads cost
// as much as compiling. What is kept is run as the program itself, so the folder must belong to this user, and nobody else
// may write to it; where there is no such folder and none can be made, nothing is kept.
const fs = require("node:fs");
// What require("node:module") gives, which would load what debuggers want first.
const Module = module.constructor;
const { dirname, join } = require("node:path");

exports.start = (dist) => {
  const cache = cacheFolder();
  const source = fs.readFileSync(join(dist, "start.js"), "utf8");
  // A hash over all chunks, which the build puts first.
  const build = /^"([0-9a-f]{16})";/.exec(source)?.[1];
  if (cache !== undefined && Module.enableCompileCache) Module.enableCompileCache(cache);
  if (cache === undefined || build === undefined || Module.enableCompileCache)
    require(join(dist, "start.js"));
  else packedRequire(dist, { cache, build, source })("./start.js");
};

function cacheFolder() {
  const { env, platform, arch, version } = process;
  const home = env.HOME || env.USERPROFILE || "";
  const base =
    env.XDG_CACHE_HOME ||
    (platform === "win32"
      ? env.LOCALAPPDATA
      : platform === "darwin" && home && join(home, "Library", "Caches")) ||
    (home && join(home, ".cache"));
  if (!base) return undefined;
  const folder = join(base, "mawps", `${version}-${arch}`);
  try {
    return isOwn(folder) ? folder : undefined;
  } catch {
    // Each step by itself: Node 20 never ends to make a folder with its parents where one of them answers ENOENT.
    for (const each of [base, dirname(folder), folder]) {
      try {
        fs.mkdirSync(each, { mode: 0o700 });
      } catch {}
    }
  }
  try {
    return isOwn(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether it is a folder, of this user, that nobody else may write to, nor put another one into its place: not in the two above
 * it either. Throws where there is nothing.
 */
function isOwn(folder) {
  const found = fs.lstatSync(folder);
  if (!found.isDirectory()) return false;
  if (process.getuid === undefined) return true;
  const own = process.getuid();
  const above = dirname(folder);
  return isOnlyOf(own, found) && [above, dirname(above)].every((each) => isSafe(own, fs.statSync(each)));
}

function isOnlyOf(own, { uid, mode }) {
  return uid === own && (mode & 0o022) === 0;
}

/** Whether only this user and the system's administrator can rename what this user has in it: where all may write, by the sticky bit. */
function isSafe(own, { uid, mode }) {
  return (uid === own || uid === 0) && ((mode & 0o022) === 0 || (mode & 0o1000) !== 0);
}

/** A file's bytes, of this user alone, by what was opened: another may come into its place at any time. */
function readOwn(path) {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const file = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = fs.fstatSync(file);
    const isOurs = process.getuid === undefined || isOnlyOf(process.getuid(), found);
    if (!found.isFile() || !isOurs) throw new Error("not this user's own file");
    return fs.readFileSync(file);
  } finally {
    fs.closeSync(file);
  }
}

function packedRequire(folder, { cache, build, source: startSource }) {
  const vm = require("node:vm");
  const outside = Module.createRequire(join(folder, "start.js"));
  const words = process.argv.slice(2).filter((word) => /^[a-z-]{2,20}$/.test(word) && !word.startsWith("-"));
  const pack = join(cache, `${build}.${words.slice(0, 2).join(".") || "mawps"}`);
  const packed = readPack(pack) || new Map();
  // The first time, most of it is what other commands have left.
  const others = packed.size === 0 ? readLargest() : packed;
  const loaded = new Map();
  let isStale = others !== packed;

  function inside(name) {
    if (!name.startsWith("./")) return outside(name);
    const known = loaded.get(name);
    if (known) return known.module.exports;
    const filename = join(folder, name);
    const module = { exports: {} };
    const { source, cachedData } = others.get(name) || {
      source: name === "./start.js" ? startSource : fs.readFileSync(filename, "utf8"),
    };
    const script = new vm.Script(Module.wrap(source), { filename, cachedData });
    if (!cachedData || script.cachedDataRejected) isStale = true;
    loaded.set(name, { module, script, source });
    script.runInThisContext()(module.exports, inside, module, filename, folder);
    return module.exports;
  }

  /** The pack of another command of this build that has most; without any an empty one. */
  function readLargest() {
    try {
      // What ends in the number of a process is still being written.
      const names = fs
        .readdirSync(cache)
        .filter((name) => name.startsWith(`${build}.`) && !/\.\d+$/.test(name));
      const packs = names.map((name) => join(cache, name));
      const [largest] = packs.map((path) => [fs.statSync(path).size, path]).sort(([a], [b]) => b - a);
      return (largest && readPack(largest[1])) || packed;
    } catch {
      return packed;
    }
  }

  /** One line of JSON with name, bytes of source and bytes of compiled code of each chunk, then these bytes. */
  function readPack(path) {
    try {
      const bytes = readOwn(path);
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
    if (!isStale) return;
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
      const bytes = Buffer.concat([
        Buffer.from(`${head}\n`),
        ...chunks.flatMap(([, source, code]) => [source, code]),
      ]);
      fs.writeFileSync(`${pack}.${process.pid}`, bytes, { flag: "wx", mode: 0o600 });
      fs.renameSync(`${pack}.${process.pid}`, pack);
      // What an earlier build left would stay for ever.
      for (const name of fs.readdirSync(cache)) {
        if (!name.startsWith(`${build}.`)) fs.rmSync(join(cache, name), { force: true });
      }
    } catch {}
  });
  return inside;
}
