// Every folder of code has a list of what it may import in .oxlintrc.json: one that nobody thought of may import nothing.
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** Those of the folders that no list of `config` covers: their own or that of one above, but `src` as a whole is no room. */
export function withoutList(config, folders) {
  const lists = config.overrides.filter(({ rules }) => {
    const [, { patterns = [] } = {}] = rules["no-restricted-imports"] ?? [];
    return patterns.some(({ group = [] }) => group[0] === "**");
  });
  const listed = new Set(lists.flatMap(({ files }) => files));
  const isCovered = (folder) => {
    if (folder === "src") return listed.has("src/*.ts");
    const end = folder.lastIndexOf("/");
    const above = folder.slice(0, end);
    return listed.has(`${folder}/**`) || (end > 0 && above !== "src" && isCovered(above));
  };
  return folders.filter((folder) => !isCovered(folder));
}

/** Those that hold code. */
function foldersOf(root) {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter(({ name }) =>
    name.endsWith(".ts"),
  );
  return [...new Set(files.map(({ parentPath }) => parentPath.replaceAll("\\", "/")))];
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const roots = ["src", ...readdirSync("packages").map((name) => `packages/${name}/src`)];
  const config = JSON.parse(readFileSync(".oxlintrc.json", "utf8"));
  const missing = withoutList(config, roots.flatMap(foldersOf));
  for (const folder of missing) {
    console.error(`${folder} has no list of what it may import: add one to .oxlintrc.json`);
  }
  if (missing.length > 0) process.exitCode = 1;
}
