import type { ProxySettings } from "../aws/proxy.ts";
import { bytes } from "../model/bytes.ts";
import type { Finding } from "./finding.ts";

/** The tool's own surroundings, found out by the caller. */
export interface ToolFacts {
  /** `v20.20.0`. */
  readonly nodeVersion: string;
  /** Undefined when the image library cannot be loaded. */
  readonly images: { readonly version: string; readonly readsHeic: boolean } | undefined;
  /** Of the embedded store; undefined when another target is used. */
  readonly store?:
    | { readonly folder: string; readonly isWritable: boolean; readonly freeBytes: number }
    | undefined;
  /** What the environment says of the way to AWS; undefined where it is not gone. */
  readonly network?: NetworkFacts;
}

export interface NetworkFacts extends ProxySettings {
  /** What AWS_CA_BUNDLE names; how many certificates are in it, undefined where it cannot be read. */
  readonly bundle: { readonly path: string; readonly certificates: number | undefined } | undefined;
}

/** The oldest version of Node.js that is tested. */
const oldestNode = [20, 19] as const;

/** Room under which a picture or a document may no longer fit. */
const scarceBytes = 1024 ** 3;

/** Judges the tool's own surroundings. */
export function toolFindings({ nodeVersion, images, store, network }: ToolFacts): Finding[] {
  return [
    nodeFinding(nodeVersion),
    imagesFinding(images),
    ...(store === undefined ? [] : [storeFinding(store)]),
    ...(network === undefined ? [] : networkFindings(network)),
  ];
}

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const [oldestMajor, oldestMinor] = oldestNode;
  const isOld = major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
  const finding = { check: "node", subject: version };
  if (!isOld) return { ...finding, status: "ok", message: "is recent enough" };
  return {
    ...finding,
    status: "problem",
    message: `is older than ${oldestNode.join(".")}`,
    remedy: "install Node.js 20.19 or newer: https://nodejs.org/en/download",
  };
}

function imagesFinding(images: ToolFacts["images"]): Finding {
  const check = "images";
  if (images === undefined) {
    return {
      check,
      subject: "sharp",
      status: "problem",
      message: "cannot be loaded: pictures cannot be worked on",
      remedy: "install mawps again on this machine: npm i -g mawps",
    };
  }
  const heic = images.readsHeic ? "reads HEIC" : "does not read HEIC: save such pictures as JPEG first";
  return { check, subject: `sharp ${images.version}`, status: "ok", message: heic };
}

function storeFinding({ folder, isWritable, freeBytes }: NonNullable<ToolFacts["store"]>): Finding {
  const finding = { check: "store", subject: folder };
  if (!isWritable) {
    return {
      ...finding,
      status: "problem",
      message: "cannot be written to",
      remedy: "give yourself the right to write there, or set MAWPS_HOME to another folder",
    };
  }
  const free = `${bytes(freeBytes)} free`;
  if (freeBytes >= scarceBytes) return { ...finding, status: "ok", message: `can be written to, ${free}` };
  return { ...finding, status: "warning", message: `only ${free}`, remedy: "make room on the disk" };
}

function networkFindings({ proxies, excepted, bundle }: NetworkFacts): Finding[] {
  const check = "network";
  const named = proxies.map(({ variable, scheme, shownUrl }): Finding => {
    if (shownUrl !== undefined)
      return { check, subject: variable, status: "ok", message: `${scheme} goes through ${shownUrl}` };
    return {
      check,
      subject: variable,
      status: "problem",
      message: "does not hold the URL of a proxy",
      remedy: `set ${variable} to http:// or https:// with the proxy's host and port, or unset it`,
    };
  });
  const direct: Finding[] =
    excepted === undefined || named.length === 0
      ? []
      : [{ check, subject: excepted.variable, status: "ok", message: `reached directly: ${excepted.hosts}` }];
  return [...named, ...direct, ...(bundle === undefined ? [] : [bundleFinding(bundle)])];
}

function bundleFinding({ path, certificates }: NonNullable<NetworkFacts["bundle"]>): Finding {
  const finding = { check: "network", subject: "AWS_CA_BUNDLE" };
  if (certificates !== undefined && certificates > 0) {
    const what = certificates === 1 ? "the certificate" : `the ${certificates} certificates`;
    const message = `trusts ${what} in ${path} in place of Node's own`;
    return { ...finding, status: "ok", message };
  }
  return {
    ...finding,
    status: "problem",
    message: certificates === 0 ? `${path} holds no certificate` : `cannot read ${path}`,
    remedy: "name a file of certificates in PEM format, or unset the variable",
  };
}
