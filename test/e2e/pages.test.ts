import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { makePhoto } from "../../src/demo/photo.ts";
import { samplePdf } from "../../src/demo/samples.ts";
import { sampleProgress } from "../../src/site/progress/sample.ts";
import { sampleTwin } from "../../src/site/twin/sample.ts";
import { noMariadb, noPostgres, startMariadb, startPostgres } from "../support/database-server.ts";
import { installed, run } from "./programs.ts";

/**
 * The pages of docs/ as a reader pastes them: every `sh` block of a page, in its order, in one shell, in an empty folder with
 * the files that a reader would have. Comments in a page speak to this test alone: `<!-- sh: … -->` is run in its place, for what a
 * reader of that page has already; `<!-- exits 4 -->` says what the last command of the next block ends with.
 */

const root = join(import.meta.dirname, "../..");
const pages = await pagesOf();

/** Servers that the readers of a page have, at a URL in their environment. */
const servers: ReadonlyMap<
  string,
  { readonly missing: string | undefined; readonly start: typeof startMariadb }
> = new Map([
  [join("docs", "mysql.md"), { missing: noMariadb, start: startMariadb }],
  [join("docs", "postgres.md"), { missing: noPostgres, start: startPostgres }],
]);

interface Page {
  readonly name: string;
  readonly text: string;
}

async function pagesOf(): Promise<Page[]> {
  const docs = (await readdir(join(root, "docs"))).filter((name) => name.endsWith(".md")).sort();
  const names = ["README.md", ...docs.map((name) => join("docs", name))];
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(join(root, name), "utf8") })));
}

/** What stands in the fences of a page, and its comments for this test. */
function pieces(text: string): { readonly language: string; readonly body: string }[] {
  const found = text.matchAll(/^```(\w*)\n([\s\S]*?)^```$|^<!-- (sh|exits):? ([\s\S]*?) -->$/gm);
  return [...found].map(([, language, block, directive, argument]) => ({
    language: language ?? directive ?? "",
    body: block ?? argument ?? "",
  }));
}

/** One script of a page; undefined where nothing is to be run. */
function scriptOf(text: string): string | undefined {
  const all = pieces(text);
  if (all.every(({ language }) => language !== "sh")) return undefined;
  let exits = "0";
  const lines = all.flatMap(({ language, body }) => {
    if (language === "exits") exits = body;
    if (language !== "sh") return [];
    // What runs until Ctrl-C gets one.
    const ending = body.replaceAll(
      /^mawps local serve(?= *(#|$))/gm,
      "timeout --preserve-status -s INT 3 $& || true",
    );
    const block = exits === "0" ? ending : `${body.replace(/( *#.*)?\n$/, "")} || test $? -eq ${exits}`;
    exits = "0";
    return [block];
  });
  // A server that a page leaves running would hold the test's pipes open.
  const traps = [
    `trap 'echo "FAILED: $BASH_COMMAND" >&2' ERR`,
    `trap 'kill $(jobs -p) 2>/dev/null || true' EXIT`,
  ];
  return ["set -eEo pipefail", ...traps, ...lines].join("\n");
}

describe("the pages as they are pasted", () => {
  let folder: string;
  /** For the compiled code of the program, which is the same on every page. */
  let cache: string;

  beforeAll(async () => {
    cache = await mkdtemp(join(tmpdir(), "mawps-pages-cache-"));
  });

  afterAll(() => rm(cache, { recursive: true }));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "mawps-pages-"));
    const photo = await makePhoto();
    const files = {
      "photo.jpg": photo,
      "smile.png": photo,
      "Lebenslauf.pdf": samplePdf(),
      "Zeugnis.pdf": samplePdf(),
      "progress.json": JSON.stringify(sampleProgress()),
      "digitalTwinTraining.json": JSON.stringify(sampleTwin()),
    };
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
    await symlink(join(root, "bin/mawps.js"), join(folder, "mawps"));
  });

  afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  it.for(pages.filter(({ text }) => scriptOf(text) !== undefined))(
    "$name",
    async ({ name, text }, context) => {
      const needed = servers.get(name);
      if (needed?.missing !== undefined) context.skip(needed.missing);
      const server = await needed?.start();
      onTestFinished(() => server?.close());
      for (const program of ["jq", "aws", "age-keygen"].filter((each) => text.includes(`${each} `)))
        await installed(program, context);
      const { code, stderr } = await run("/bin/bash", ["-c", scriptOf(text) ?? ""], {
        cwd: folder,
        // The reader says yes to every question.
        env: {
          HOME: folder,
          ...(server === undefined ? {} : { MAWPS_DATABASE_URL: server.url("site") }),
          PATH: `${folder}:${process.env["PATH"] ?? ""}`,
          XDG_CACHE_HOME: cache,
          TZ: "UTC",
          MAWPS_YES: "true",
        },
      });
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    },
  );
});

describe("what stands in the pages", () => {
  it.each(pages)("$name: every block says what it is", ({ text }) => {
    const plain = text.replaceAll(/^```(sh|json|jsonc|yaml|text|ini|mermaid|sql)\n[\s\S]*?^```$/gm, "");
    expect(plain).not.toMatch(/^(```| {4})/m);
  });

  it.each(pages.filter(({ name }) => name !== join("docs", "commands.md")))(
    "$name: what calls mawps is run",
    ({ text }) => {
      const unrun = pieces(text).filter(({ language }) => language === "text");
      expect(unrun.map(({ body }) => body).filter((body) => /^mawps /m.test(body))).toEqual([]);
    },
  );
});
