// Bundles src into dist: split by dynamic import, so that a command loads only what it uses, then turned into
// CommonJS, which Node starts faster and for which bin/code-cache.js can keep V8's compiled code.
import { createHash } from "node:crypto";
import { build } from "esbuild";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tmpdir } from "node:os";

/**
 * What start-up need not load, by who asks for it. commander wants node:child_process for subcommands that are
 * programs of their own: we have none. dynalite wants level and memory-level for its own storage: packages/local-aws has
 * another. classic-level looks for its native part through a search of several folders: the prebuilt one is tried first.
 * The SDK's handler wants TLS, four milliseconds of Node's own code, where nothing is asked but a server without it, or none.
 * string-width prepares for emoji, 20 milliseconds, before it is asked; most texts are of letters that take one column each.
 */
const replaced = [
  { path: /^node:child_process$/, by: /[\\/]commander[\\/]/, contents: "module.exports = {}" },
  { path: /^(level|memory-level)$/, by: /[\\/]dynalite[\\/]/, contents: "module.exports = {}" },
  // Its colours are not used.
  { path: /^@colors\/colors\/safe$/, by: /[\\/]cli-table3[\\/]/, contents: "module.exports = {}" },
  {
    path: /^string-width$/,
    by: /[\\/]/,
    contents: await readFile("scripts/string-width.cjs", "utf8"),
  },
  {
    path: /^node:https$/,
    by: /[\\/]node-http-handler[\\/]/,
    contents: `
      const https = () => require("node:https");
      class Agent {
        constructor(options) { this.options = options; }
        made() { return this.agent ??= new (https().Agent)(this.options); }
        destroy() { this.agent?.destroy(); }
      }
      module.exports = {
        Agent,
        request(options, ...rest) {
          if (options.agent instanceof Agent) options.agent = options.agent.made();
          return https().request(options, ...rest);
        },
      };`,
  },
  {
    path: /^\.\/binding$/,
    by: /[\\/]classic-level[\\/]/,
    contents: `
      const { platform, arch } = process;
      try { module.exports = require("classic-level/prebuilds/" + platform + "-" + arch + "/classic-level.node"); }
      catch { module.exports = require("classic-level/binding.js"); }`,
  },
];

/** sharp's JavaScript is bundled; it goes on looking for its native part from where it is installed. */
const nativeSharp = {
  name: "native-sharp",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]sharp[\\/]dist[\\/](sharp|utility)\.mjs$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const contents = source.replace(
        "createRequire(import.meta.url)",
        'createRequire(createRequire(__filename).resolve("sharp"))',
      );
      if (contents === source) throw new Error(`${path} finds its native part in another way now`);
      return { contents };
    });
  },
};

const leaner = {
  name: "leaner",
  setup({ onResolve, onLoad }) {
    for (const [at, { path, by, contents }] of replaced.entries()) {
      const namespace = `leaner-${at}`;
      onResolve({ filter: path }, ({ importer }) =>
        by.test(importer) ? { path: "in-its-place", namespace } : undefined,
      );
      onLoad({ filter: /.*/, namespace }, () => ({ contents, resolveDir: process.cwd() }));
    }
  },
};

const split = await mkdtemp(join(tmpdir(), "mawps-build-"));
try {
  const common = {
    platform: "node",
    target: "node20.19",
    minify: true,
    sourcesContent: false,
    legalComments: "none",
    logLevel: "warning",
  };
  const { metafile } = await build({
    ...common,
    entryPoints: { start: "src/start.ts", "save-worker": "src/aws/raw/save-worker.ts" },
    outdir: split,
    sourcemap: true,
    bundle: true,
    splitting: true,
    format: "esm",
    mainFields: ["module", "main"],
    loader: { ".sql": "text" },
    // What finds its own parts by its own path; of classic-level only the native part.
    external: ["@electric-sql/pglite", "classic-level/prebuilds/*", "classic-level/binding.js"],
    metafile: true,
    plugins: [leaner, nativeSharp],
  });
  await rm("dist", { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: (await readdir(split))
      .filter((file) => file.endsWith(".js"))
      .map((file) => join(split, file)),
    outdir: "dist",
    // Beside the code and not named in it: Node would read them at start-up. They are asked for a bug's stack alone.
    sourcemap: "external",
    // A line of its own for what is put before the code: the stamp below, and Node's wrapper, which would move the columns.
    banner: { js: "//" },
    bundle: false,
    format: "cjs",
    supported: { "dynamic-import": false },
  });
  await dropForeignMaps();
  await stamp();
  await writeFile("dist/package.json", '{ "type": "commonjs" }\n');
  await writeFile("dist/THIRD-PARTY-LICENSES.txt", await licenses(Object.keys(metafile.inputs)));
} finally {
  await rm(split, { recursive: true, force: true });
}

/** Of chunks in which nothing is ours: they would double the package. */
async function dropForeignMaps() {
  for (const name of (await readdir("dist")).filter((file) => file.endsWith(".map"))) {
    const { sources } = JSON.parse(await readFile(join("dist", name), "utf8"));
    if (sources.every((source) => source.includes("node_modules/"))) await rm(join("dist", name));
  }
}

/**
 * Puts a hash over all chunks first in start.js. It is the key of the compiled code that is kept, so an update never runs
 * the code of the version before, whatever the times of its files.
 */
async function stamp() {
  const hash = createHash("sha256");
  for (const name of (await readdir("dist")).sort()) {
    hash.update(`${name}\n`).update(await readFile(join("dist", name)));
  }
  const source = await readFile("dist/start.js", "utf8");
  await writeFile("dist/start.js", `"${hash.digest("hex").slice(0, 16)}";${source}`);
}

/** The licence texts of every package that went into the bundle: theirs ask to travel with the code. */
async function licenses(inputs) {
  const folders = new Set(
    inputs.map((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean),
  );
  const texts = [];
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    const text = file === undefined ? "" : await readFile(join(folder, file), "utf8");
    texts.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}
