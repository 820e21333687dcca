import { addAbortSignal, type Readable } from "node:stream";
import { CliError, exitCodes } from "../errors.ts";
import { bytes } from "../model/bytes.ts";
import { collected } from "../text-file.ts";
import { requestOf, type EndAnswer } from "./anonymous.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { network } from "./network.ts";
import { isThisMachine, type Env } from "./proxy.ts";

interface Outside {
  readonly env: Env;
  readonly limits: Partial<Limits> | undefined;
  readonly signal: AbortSignal;
  /** For messages: `a list of anchors`. */
  readonly what: string;
  readonly mostBytes: number;
}

const mostSendingsOn = 5;

/**
 * The text that anybody gets at an address of the web: https, or http on this machine. Sent on it goes to the same server alone. An
 * address may be what opens it, so that no more than its server is told.
 * @throws CliError for another address, where no text comes, or one that is too large or comes too late.
 */
export async function outsideText(given: string, outside: Outside): Promise<string> {
  const { env, signal, what, mostBytes } = outside;
  let url = addressOf(given);
  const { origin } = url;
  const wrong = (why: string, cause?: unknown) => new CliError(`${origin} ${why}`, { cause });
  const all = { ...defaultLimits, ...outside.limits };
  const { pageMs } = all;
  const tooLate = AbortSignal.timeout(pageMs);
  const stop = AbortSignal.any([signal, tooLate]);
  // Of one that is silent the time for all of it is told.
  const limits = { ...all, silentMs: 2 * pageMs, silentAtWorkMs: 2 * pageMs };
  const end = network({ env, limits, reach: { isSilent: false, isClosed: false } });
  try {
    for (let sentOn = 0; sentOn <= mostSendingsOn; sentOn += 1) {
      const { response } = await end.handle(requestOf(url), { abortSignal: stop });
      const { statusCode, headers, body } = response as EndAnswer & { readonly body: Readable };
      const location = headers["location"];
      if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
        body.destroy();
        if (!URL.canParse(location, url.href)) throw wrong("sends on to what is no address");
        url = new URL(location, url.href);
        if (url.origin !== origin)
          throw wrong(`sends on to ${url.origin}, and only what it has itself counts`);
        continue;
      }
      if (statusCode !== 200) {
        body.destroy();
        throw wrong(`answers ${statusCode}`);
      }
      addAbortSignal(stop, body);
      const content = await collected(body, mostBytes);
      if (content === undefined) throw wrong(`answers with more than the ${bytes(mostBytes)} of ${what}`);
      return content.toString().replace(/^\uFEFF/, "");
    }
    throw wrong("sends on again and again");
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CliError) throw error;
    if (tooLate.aborted) throw wrong(`did not answer to the end within ${pageMs / 1000} seconds`, error);
    const { code, name } = error as NodeJS.ErrnoException;
    if (code === undefined && name !== "TimeoutError") throw error;
    const isTooLate = name === "TimeoutError" || code === "ETIMEDOUT";
    throw wrong(`cannot be reached: ${isTooLate ? "no connection in time" : code}`, error);
  } finally {
    end.destroy?.();
  }
}

function addressOf(given: string): URL {
  const wrong = (why: string) => new CliError(`the address ${why}`, { exitCode: exitCodes.usage });
  if (!URL.canParse(given)) throw wrong("is none that can be opened");
  const url = new URL(given);
  const isOpen = url.protocol === "http:" && isThisMachine(url.hostname.replace(/^\[|\]$/g, ""));
  if (url.protocol !== "https:" && !isOpen) throw wrong("is neither https, nor http on this machine");
  if (url.username !== "" || url.password !== "") throw wrong("has a user name or a password in it");
  return url;
}
