import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type BrowserContext, chromium } from "playwright-core";

export const chromiumPath = "/usr/bin/chromium";
export const firefoxPath = "/usr/bin/firefox-esr";

/** Whether tests with this browser can run. Where CI is set, a missing browser is a failure and no reason to skip. */
export function installed(path: string): boolean {
  if (existsSync(path)) return true;
  if (process.env["CI"] !== undefined) throw new Error(`${path} is missing: CI is to install it`);
  return false;
}

export interface Site extends AsyncDisposable {
  /** With the trailing slash of a page. */
  readonly url: string;
  /** Resolves when a page of the site has called `/done`. */
  readonly done: Promise<unknown>;
}

/** A site on loopback with one page, which runs a script. */
export async function serveSite(script = ""): Promise<Site> {
  const reports = new EventEmitter();
  const done = once(reports, "done");
  const server = createServer((request, response) => {
    if (request.url === "/done") reports.emit("done");
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(`<!doctype html><title>site</title><script>${script}</script>`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    done,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Without the switches that keep it from calling home, a closed network makes Chromium slow. */
const chromiumSwitches = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function launchChromium(
  userData: string,
  switches: readonly string[] = [],
): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(userData, {
    executablePath: chromiumPath,
    headless: true,
    args: [...chromiumSwitches, ...switches],
    // A busy machine takes longer than half a minute: how long is waited the test says.
    timeout: 0,
  });
  context.setDefaultTimeout(0);
  return context;
}

const firefoxSettings = {
  "app.update.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  // Lets a page close the last window, which ends the browser as a person would.
  "dom.allow_scripts_to_close_windows": true,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
};

export interface RunningFirefox extends AsyncDisposable {
  readonly exited: Promise<unknown>;
}

/** A headless Firefox that opens the site in a profile folder; resolves when the page has reported. */
export async function launchFirefox(profile: string, site: Site): Promise<RunningFirefox> {
  await mkdir(profile, { recursive: true });
  const lines = Object.entries(firefoxSettings).map(([name, value]) => `user_pref("${name}", ${value});`);
  await writeFile(join(profile, "user.js"), lines.join("\n"));
  const firefox = spawn(firefoxPath, ["-headless", "-no-remote", "-profile", profile, site.url], {
    stdio: "ignore",
    env: { ...process.env, HOME: join(profile, "home") },
  });
  const exited = once(firefox, "exit");
  await Promise.race([
    site.done,
    exited.then(() => {
      throw new Error("firefox ended before the page had reported");
    }),
  ]);
  return {
    exited,
    async [Symbol.asyncDispose]() {
      firefox.kill("SIGTERM");
      await exited;
    },
  };
}

/** Browsers write what a page stored some seconds later: asks again until there is an answer, or gives up. */
export async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 40_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(250);
    }
  }
}
