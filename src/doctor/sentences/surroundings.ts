import { bytes } from "../../model/bytes.ts";
import { both, germanDate, germanNumber } from "../../model/sentences.ts";

const signInEn = "sign in again: aws sso login, or whatever gave you these credentials";
const signInDe = "neu anmelden: aws sso login, oder womit die Zugangsdaten kamen";
const certificatesEn = "name a file of certificates in PEM format, or unset the variable";
const certificatesDe = "eine Datei mit Zertifikaten im Format PEM nennen, oder die Variable entfernen";

/** Of the tool, the machine it runs on and the way to AWS. */
export const surroundings = {
  "told-above": both(
    () => ["could not be looked at, for the reason told above"],
    () => ["nicht angesehen, aus dem schon genannten Grund"],
  ),
  /** In the words of whoever refused it. */
  failed: both<{ readonly why: string; readonly hint: string | undefined }>(
    ({ why, hint }) => (hint === undefined ? [why] : [why, hint]),
    ({ why, hint }) => (hint === undefined ? [why] : [why, hint]),
  ),
  "node-old": both<{ readonly oldest: string }>(
    ({ oldest }) => [
      `is older than ${oldest}`,
      `install Node.js ${oldest} or newer: https://nodejs.org/en/download`,
    ],
    ({ oldest }) => [
      `ist älter als ${oldest}`,
      `Node.js ${oldest} oder neuer installieren: https://nodejs.org/en/download`,
    ],
  ),
  "images-unusable": both(
    () => [
      "cannot be loaded: pictures cannot be worked on",
      "install mawps again on this machine: npm i -g mawps",
    ],
    () => [
      "lässt sich nicht laden: Bilder lassen sich nicht bearbeiten",
      "mawps auf diesem Rechner neu installieren: npm i -g mawps",
    ],
  ),
  "store-closed": both(
    () => [
      "cannot be written to",
      "give yourself the right to write there, or set MAWPS_HOME to another folder",
    ],
    () => [
      "lässt sich nicht beschreiben",
      "sich das Recht geben, dort zu schreiben, oder MAWPS_HOME auf einen anderen Ordner setzen",
    ],
  ),
  "disk-full": both<{ readonly freeBytes: number }>(
    ({ freeBytes }) => [`only ${bytes(freeBytes)} free`, "make room on the disk"],
    ({ freeBytes }) => [`nur ${germanNumber(bytes(freeBytes))} frei`, "Platz auf der Platte schaffen"],
  ),
  "proxy-wrong": both<{ readonly variable: string }>(
    ({ variable }) => [
      "does not hold the URL of a proxy",
      `set ${variable} to http:// or https:// with the proxy's host and port, or unset it`,
    ],
    ({ variable }) => [
      "enthält keine URL eines Proxys",
      `${variable} auf http:// oder https:// mit Rechner und Port des Proxys setzen, oder entfernen`,
    ],
  ),
  "certificates-none": both<{ readonly path: string }>(
    ({ path }) => [`${path} holds no certificate`, certificatesEn],
    ({ path }) => [`${path} enthält kein Zertifikat`, certificatesDe],
  ),
  "certificates-unreadable": both<{ readonly path: string }>(
    ({ path }) => [`cannot read ${path}`, certificatesEn],
    ({ path }) => [`${path} ist nicht lesbar`, certificatesDe],
  ),
  "credentials-ended": both<{ readonly at: string }>(
    ({ at }) => [`ended at ${at}`, signInEn],
    ({ at }) => [`endeten ${germanDate(at)}`, signInDe],
  ),
  "credentials-ending": both<{ readonly account: string; readonly at: string; readonly left: string }>(
    ({ account, at, left }) => [`account ${account}, until ${at} (${left} left)`, signInEn],
    ({ account, at, left }) => [`Konto ${account}, bis ${germanDate(at)} (noch ${left})`, signInDe],
  ),
  "clock-off": both<{ readonly off: string; readonly isAhead: boolean }>(
    ({ off, isAhead }) => [
      `${off} ${isAhead ? "ahead of" : "behind"} AWS`,
      "set the clock by the network: timedatectl set-ntp true (Windows: w32tm /resync; macOS: sntp -sS time.apple.com)",
    ],
    ({ off, isAhead }) => [
      `geht gegen AWS ${off} ${isAhead ? "vor" : "nach"}`,
      "die Uhr nach dem Netz stellen: timedatectl set-ntp true (Windows: w32tm /resync; macOS: sntp -sS time.apple.com)",
    ],
  ),
  "user-pool-missing": both<{ readonly region: string }>(
    ({ region }) => [
      `there is no such user pool in ${region}`,
      `correct "userPoolId" in the configuration: aws cognito-idp list-user-pools --max-results 60 --region ${region}`,
    ],
    ({ region }) => [
      `diesen User Pool gibt es in ${region} nicht`,
      `"userPoolId" in der Konfiguration berichtigen: aws cognito-idp list-user-pools --max-results 60 --region ${region}`,
    ],
  ),
};
