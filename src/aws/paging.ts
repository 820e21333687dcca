import { CliError } from "../errors.ts";

/**
 * Watches the places at which a list goes on, page by page. A server that comes back to one it gave before would be read for
 * ever: that is found within twice the length of the circle, by one place kept at a time (Brent's way of finding cycles).
 * @throws CliError then.
 */
export function onwards<T>(what: string): (next: T | undefined) => T | undefined {
  let kept: string | undefined;
  let since = 0;
  let most = 1;
  return (next) => {
    if (next === undefined) return undefined;
    const place = JSON.stringify(next);
    if (place === kept) {
      throw new CliError(`the server's list of ${what} goes round in circles: it never comes to an end`, {
        hint: "nothing more is read; is this server, or what stands between, faulty?",
      });
    }
    since += 1;
    if (since === most) {
      kept = place;
      since = 0;
      most *= 2;
    }
    return next;
  };
}
