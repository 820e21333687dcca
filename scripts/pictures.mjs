// Makes the pictures of the README from real runs: `npm run build && node scripts/pictures.mjs` (needs tmux and Chromium).
// Commands are typed into a shell in tmux, and what the pane shows is drawn in its colours; the charts are a browser's.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";

const columns = 116;
const terminals = {
  "docs/terminal.svg": [
    "mawps hero set photo.jpg",
    "mawps hero set evening.jpg --hover photo.jpg",
    "mawps hero list",
    "mawps hero rollback",
  ],
  "docs/backup.svg": [
    "mawps doc list max@example.com",
    "mawps backup create",
    "mawps backup drill",
    "mawps backup list",
  ],
};

const folder = mkdtempSync(join(tmpdir(), "site-"));
const env = { HOME: folder, TERM: "xterm-256color", PATH: `${folder}:/usr/bin:/bin`, TZ: "UTC" };
const mawps = (...args) => execFileSync(join(folder, "mawps"), args, { cwd: folder, env, stdio: "ignore" });

try {
  const program = `#!/bin/sh\nexec ${process.execPath} ${resolve("bin/mawps.js")} "$@"\n`;
  writeFileSync(join(folder, "mawps"), program, { mode: 0o755 });
  for (const [name, ...size] of [["photo.jpg"], ["evening.jpg", "2400", "1600", "7"]]) {
    execFileSync(process.execPath, ["test/bench/make-photo.mjs", join(folder, name), ...size]);
  }
  fillSite();
  for (const [picture, commands] of Object.entries(terminals)) writeFileSync(picture, draw(typed(commands)));
  mawps("progress", "stats", "--html", "report.html");
  execFileSync(
    "/usr/bin/chromium",
    [
      "--headless",
      "--no-sandbox",
      "--hide-scrollbars",
      "--force-color-profile=srgb",
      "--window-size=960,760",
      `--screenshot=${resolve("docs/progress.png")}`,
      `file://${join(folder, "report.html")}`,
    ],
    { stdio: "ignore" },
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Documents and progress of people who do not exist. */
function fillSite() {
  for (const name of ["Lebenslauf.pdf", "Zeugnis.pdf", "Anschreiben.pdf"]) {
    writeFileSync(
      join(folder, name),
      `%PDF-1.4\n% ${name}\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n`,
    );
  }
  const upload = ["doc", "upload", "max@example.com", "--create-profile", "--no-scan"];
  mawps(...upload, "Lebenslauf.pdf", "--type", "cv");
  mawps(...upload, "Zeugnis.pdf", "Anschreiben.pdf", "--type", "certificate");
  const pages = ["ikigai", "werte", "mbti", "staerken", "ziele"];
  for (let user = 1; user <= 24; user++) {
    const visited = pages.slice(0, 1 + ((user * 7) % pages.length)).map((page, at) => {
      const percent = Math.max(5, 100 - ((user * 13 + at * 29) % 96));
      const firstVisit = new Date(Date.now() - (user * 3 + 6 - at) * 86_400_000).toISOString();
      const visit = { firstVisit, lastVisit: firstVisit, visitCount: 1 + ((user + at) % 4) };
      return [page, { ...visit, completed: percent === 100, completionPercentage: percent }];
    });
    writeFileSync(
      join(folder, "progress.json"),
      JSON.stringify({ pages: Object.fromEntries(visited), sections: {} }),
    );
    mawps("progress", "import", `user-${user}@example.com`, "progress.json", "--create-profile");
  }
}

/** What a terminal shows after these commands, with its escape sequences. */
function typed(commands) {
  const session = `mawps-picture-${process.pid}`;
  const tmux = (...args) => execFileSync("tmux", args, { encoding: "utf8" });
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const shell = `env -i ${variables.join(" ")} sh -c 'cd ${folder}; PS1="$ " exec sh'`;
  tmux("new-session", "-d", "-s", session, "-x", String(columns), "-y", "60", shell);
  try {
    pause(500);
    for (const command of commands) {
      tmux("send-keys", "-t", session, command, "Enter");
      do pause(500);
      while (!tmux("capture-pane", "-p", "-t", session).trimEnd().endsWith("$"));
    }
    return tmux("capture-pane", "-e", "-p", "-t", session)
      .trimEnd()
      .replace(/\n?\$$/, "");
  } finally {
    tmux("kill-session", "-t", session);
  }
}

function pause(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function draw(screen) {
  const lines = screen.split("\n");
  const [line, left, top] = [18, 16, 44];
  const width = left * 2 + columns * 7.83;
  const height = top + lines.length * line + 12;
  const spans = drawer();
  const text = lines.map((each, at) => {
    const command = stripVTControlCharacters(each).startsWith("$ ")
      ? ' fill="#f2f5f7" font-weight="bold"'
      : "";
    return `<text x="${left}" y="${top + at * line}" xml:space="preserve"${command}>${spans(each)}</text>`;
  });
  const dots = ["#ff5f57", "#febc2e", "#28c840"].map(
    (fill, at) => `<circle cx="${20 + at * 18}" cy="16" r="5.5" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="mawps in a terminal">
<rect width="100%" height="100%" rx="8" fill="#14181c"/>
${dots.join("")}
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="13" fill="#b8c4cc">
${text.join("\n")}
</g>
</svg>
`;
}

/** Draws line after line in its colours, which last until they are changed: of ECMA-48's SGR what mawps writes. */
function drawer() {
  const colours = ["#14181c", "#ff7b72", "#7ee787", "#e3b341", "#79b8ff", "#d2a8ff", "#76e3ea", "#f2f5f7"];
  let style = {};
  const change = (code) => {
    if (code === 0) style = {};
    else if (code === 1) style["font-weight"] = "bold";
    else if (code === 2) style["opacity"] = "0.6";
    else if (code >= 30 && code < 38) style["fill"] = colours[code - 30];
    else if (code === 39) delete style["fill"];
  };
  const span = (part) => {
    const escaped = part.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    const attributes = Object.entries(style).map(([name, value]) => ` ${name}="${value}"`);
    return attributes.length === 0 || part === ""
      ? escaped
      : `<tspan${attributes.join("")}>${escaped}</tspan>`;
  };
  return (text) => {
    const [plain, ...styled] = text.split("\u001B[");
    const rest = styled.map((each) => {
      const end = each.indexOf("m");
      for (const code of each.slice(0, end).split(";")) change(Number(code));
      return span(each.slice(end + 1));
    });
    return span(plain) + rest.join("");
  };
}
