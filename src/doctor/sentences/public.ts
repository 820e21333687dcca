import { both } from "../../model/sentences.ts";

/** What came of trying to get into a private bucket without credentials; `by` is a status of HTTP, or why there was none. */
export interface Tries {
  readonly isPolicyPublic: boolean;
  readonly open: readonly Try[];
  readonly unknown: readonly Try[];
}

interface Try {
  readonly what: "list" | "read";
  readonly by: string;
}

const listOrReadEn = { list: "list it", read: "read its objects" } as const;
const listOrReadDe = { list: "ihn auflisten", read: "seine Objekte lesen" } as const;

function triesEn({ isPolicyPublic, open, unknown }: Tries): string {
  return [
    ...(isPolicyPublic ? ["S3 counts its policy as public"] : []),
    ...open.map(({ what, by }) => `anybody can ${listOrReadEn[what]} (${by})`),
    ...unknown.map(({ what, by }) => `whether anybody can ${listOrReadEn[what]} is not known: ${by}`),
  ].join("; ");
}

function triesDe({ isPolicyPublic, open, unknown }: Tries): string {
  return [
    ...(isPolicyPublic ? ["für S3 ist die Richtlinie öffentlich"] : []),
    ...open.map(({ what, by }) => `jeder kann ${listOrReadDe[what]} (${by})`),
    ...unknown.map(({ what, by }) => `ob jeder ${listOrReadDe[what]} kann, ist nicht bekannt: ${by}`),
  ].join("; ");
}

/** Of what the public is to see, and of what it is not to see. */
export const publicPlaces = {
  "item-missing": both<{ readonly remedy: string }>(
    ({ remedy }) => ["not set yet", remedy],
    ({ remedy }) => ["noch nicht gesetzt", remedy],
  ),
  /** `otherwise` is what the model says of it. */
  "item-unrecognised": both<{
    readonly attribute: string;
    readonly found: string | undefined;
    readonly value: string;
    readonly otherwise: string;
    readonly remedy: string;
  }>(
    ({ attribute, found, value, otherwise, remedy }) => [
      `${attribute} is ${found === undefined ? "missing" : JSON.stringify(found)}, not ${value}: ${otherwise}`,
      remedy,
    ],
    ({ attribute, found, value, otherwise, remedy }) => [
      `${attribute} ${found === undefined ? "fehlt" : `ist ${JSON.stringify(found)}`}, nicht ${value}: ${otherwise}`,
      remedy,
    ],
  ),
  "picture-unset": both<{ readonly remedy: string }>(
    ({ remedy }) => ["not set", remedy],
    ({ remedy }) => ["nicht gesetzt", remedy],
  ),
  "picture-elsewhere": both<{ readonly remedy: string }>(
    ({ remedy }) => ["is not in a bucket of the site", remedy],
    ({ remedy }) => ["liegt in keinem Bucket der Website", remedy],
  ),
  "picture-not-public": both<{ readonly bucket: string; readonly remedy: string }>(
    ({ bucket, remedy }) => [`is in ${bucket}, not in a public bucket`, remedy],
    ({ bucket, remedy }) => [`liegt in ${bucket}, nicht in einem öffentlichen Bucket`, remedy],
  ),
  "picture-gone": both<{ readonly bucket: string; readonly remedy: string }>(
    ({ bucket, remedy }) => [`there is no such object in ${bucket}`, remedy],
    ({ bucket, remedy }) => [`dieses Objekt gibt es in ${bucket} nicht`, remedy],
  ),
  "picture-unread": both<{ readonly why: string; readonly hint: string | undefined }>(
    ({ why, hint = "check the address and the network" }) => [
      `could not be read as the public does: ${why}`,
      hint,
    ],
    ({ why, hint = "Adresse und Netz prüfen" }) => [
      `nicht lesbar, wie es die Öffentlichkeit liest: ${why}`,
      hint,
    ],
  ),
  "picture-none": both<{ readonly contentType: string | undefined }>(
    ({ contentType = "no content type" }) => [
      `the public gets ${contentType}, not a picture`,
      "mawps hero set <image>",
    ],
    ({ contentType = "keinen Inhaltstyp" }) => [
      `die Öffentlichkeit bekommt ${contentType}, kein Bild`,
      "mawps hero set <image>",
    ],
  ),
  "picture-closed": both<{ readonly status: number }>(
    ({ status }) => [
      `the public cannot read it: HTTP ${status}`,
      "mawps setup --fix (an account-wide public access block is lifted in the S3 console)",
    ],
    ({ status }) => [
      `die Öffentlichkeit kann es nicht lesen: HTTP ${status}`,
      "mawps setup --fix (eine Sperre für das ganze Konto wird in der Konsole von S3 aufgehoben)",
    ],
  ),
  "picture-not-found": both<{ readonly place: string; readonly status: number }>(
    ({ place, status }) => [
      `the public does not find it at ${place}: HTTP ${status}`,
      "check publicBaseUrl (MAWPS_PUBLIC_BASE_URL) and what stands there in front of the bucket",
    ],
    ({ place, status }) => [
      `die Öffentlichkeit findet es unter ${place} nicht: HTTP ${status}`,
      "publicBaseUrl (MAWPS_PUBLIC_BASE_URL) prüfen, und was dort vor dem Bucket steht",
    ],
  ),
  /** `to` is undefined for another path. */
  "picture-redirected": both<{
    readonly place: string;
    readonly status: number;
    readonly to: string | undefined;
  }>(
    ({ place, status, to = "another path" }) => [
      `was not read: ${place} sends the public on (HTTP ${status}), to ${to}`,
      "open the URL in a browser, or store the one that it leads to",
    ],
    ({ place, status, to = "einem anderen Pfad" }) => [
      `nicht gelesen: ${place} schickt die Öffentlichkeit weiter (HTTP ${status}), zu ${to}`,
      "die URL in einem Browser öffnen, oder die speichern, zu der sie führt",
    ],
  ),
  "picture-refused": both<{ readonly place: string; readonly status: number }>(
    ({ place, status }) => [
      `was not read: ${place} answers HTTP ${status}`,
      "try again later, or ask whoever runs the server",
    ],
    ({ place, status }) => [
      `nicht gelesen: ${place} antwortet HTTP ${status}`,
      "später noch einmal, oder fragen, wer den Server betreibt",
    ],
  ),
  "bucket-open": both<Tries>(
    (tries) => [triesEn(tries), "mawps setup --fix, then take public statements out of its policy"],
    (tries) => [triesDe(tries), "mawps setup --fix, dann öffentliche Aussagen aus der Richtlinie nehmen"],
  ),
  "bucket-open-here": both<Tries>(
    (tries) => [
      `${triesEn(tries)}: this server in AWS's place does not enforce its settings`,
      "keep real documents away from this server",
    ],
    (tries) => [
      `${triesDe(tries)}: dieser Server anstelle von AWS setzt seine Einstellungen nicht durch`,
      "echte Dokumente von diesem Server fernhalten",
    ],
  ),
  "bucket-unknown": both<Tries & { readonly hint: string | undefined }>(
    ({ hint = "run mawps doctor again later", ...tries }) => [triesEn(tries), hint],
    ({ hint = "mawps doctor später noch einmal aufrufen", ...tries }) => [triesDe(tries), hint],
  ),
};
