/** Where a request was sent that failed before an answer came. */
export interface Unreached {
  /** Scheme, host and port. */
  readonly host: string;
  readonly proxy: string | undefined;
  readonly isSigned: boolean;
  /** The file whose certificates are trusted in place of Node's own. */
  readonly bundle?: string | undefined;
}

/** By the error that came of it: not only calls of the site's clients fail so, but also those for credentials, and of the public. */
export const unreached = new WeakMap<object, Unreached>();

/** What answers is not AWS, but something on the way there that has pages for people. */
export class WebPageError extends Error {
  override readonly name = "WebPageError";
  readonly host: string;
  /** Where it sends people to. */
  readonly location: string | undefined;

  constructor(host: string, location: string | undefined) {
    super(`${host} answers with a web page`);
    this.host = host;
    this.location = location;
  }
}
