// Renders docs/terminal.svg from a real run: the commands are typed into a shell in tmux, and what the pane shows
// is drawn. `node scripts/terminal-picture.mjs` (needs tmux and a build).
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const columns = 116;
const rows = 40;
const commands = [
  "mawps hero set photo.jpg",
  "mawps hero set evening.jpg --hover photo.jpg",
  "mawps hero list",
  "mawps hero rollback",
];

const folder = mkdtempSync(join(tmpdir(), "site-"));
const session = `mawps-picture-${process.pid}`;
const tmux = (...args) => execFileSync("tmux", args, { encoding: "utf8" });
const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

try {
  for (const [name, ...size] of [["photo.jpg"], ["evening.jpg", "2400", "1600", "7"]]) {
    execFileSync(process.execPath, ["test/bench/make-photo.mjs", join(folder, name), ...size]);
  }
  writeFileSync(
    join(folder, "mawps"),
    `#!/bin/sh\nexec ${process.execPath} ${resolve("bin/mawps.js")} "$@"\n`,
    { mode: 0o755 },
  );
  const shell = `env -i HOME=${folder} TERM=xterm-256color PATH=${folder}:/usr/bin:/bin TZ=UTC sh -c 'cd ${folder}; PS1="$ " exec sh'`;
  tmux("new-session", "-d", "-s", session, "-x", String(columns), "-y", String(rows), shell);
  pause(500);
  for (const command of commands) {
    tmux("send-keys", "-t", session, command, "Enter");
    do pause(500);
    while (!tmux("capture-pane", "-p", "-t", session).trimEnd().endsWith("$"));
  }
  const screen = tmux("capture-pane", "-p", "-t", session).trimEnd();
  writeFileSync("docs/terminal.svg", draw(screen.replace(/\n?\$$/, "")));
} finally {
  try {
    tmux("kill-session", "-t", session);
  } catch {}
  rmSync(folder, { recursive: true, force: true });
}

function draw(screen) {
  const lines = screen.split("\n");
  const [line, left, top] = [18, 16, 44];
  const width = left * 2 + columns * 7.83;
  const height = top + lines.length * line + 12;
  const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const text = lines
    .map((each, at) => {
      const colour = each.startsWith("$ ") ? ' fill="#f2f5f7" font-weight="bold"' : "";
      return `<text x="${left}" y="${top + at * line}" xml:space="preserve"${colour}>${escape(each)}</text>`;
    })
    .join("\n");
  const dots = ["#ff5f57", "#febc2e", "#28c840"].map(
    (fill, at) => `<circle cx="${20 + at * 18}" cy="16" r="5.5" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="mawps in a terminal">
<rect width="100%" height="100%" rx="8" fill="#14181c"/>
${dots.join("")}
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="13" fill="#b8c4cc">
${text}
</g>
</svg>
`;
}
