import type { ProxySettings } from "../aws/proxy.ts";
import { bytes } from "../model/bytes.ts";
import { told, type About, type DoctorFinding } from "./finding.ts";

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
export function toolFindings({ nodeVersion, images, store, network }: ToolFacts): DoctorFinding[] {
  return [
    nodeFinding(nodeVersion),
    imagesFinding(images),
    ...(store === undefined ? [] : [storeFinding(store)]),
    ...(network === undefined ? [] : networkFindings(network)),
  ];
}

function nodeFinding(version: string): DoctorFinding {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const [oldestMajor, oldestMinor] = oldestNode;
  const isOld = major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
  const finding: About = { check: "node", subject: version };
  if (!isOld) return { ...finding, status: "ok", message: "is recent enough" };
  return { ...finding, ...told("problem", "node-old", { oldest: oldestNode.join(".") }) };
}

function imagesFinding(images: ToolFacts["images"]): DoctorFinding {
  const check = "images";
  if (images === undefined) {
    return { check, subject: "sharp", ...told("problem", "images-unusable") };
  }
  const heic = images.readsHeic ? "reads HEIC" : "does not read HEIC: save such pictures as JPEG first";
  return { check, subject: `sharp ${images.version}`, status: "ok", message: heic };
}

function storeFinding({ folder, isWritable, freeBytes }: NonNullable<ToolFacts["store"]>): DoctorFinding {
  const finding: About = { check: "store", subject: folder };
  if (!isWritable) return { ...finding, ...told("problem", "store-closed") };
  if (freeBytes < scarceBytes) return { ...finding, ...told("warning", "disk-full", { freeBytes }) };
  return { ...finding, status: "ok", message: `can be written to, ${bytes(freeBytes)} free` };
}

function networkFindings({ proxies, excepted, bundle }: NetworkFacts): DoctorFinding[] {
  const check = "network";
  const named = proxies.map(({ variable, scheme, shownUrl }): DoctorFinding => {
    if (shownUrl !== undefined)
      return { check, subject: variable, status: "ok", message: `${scheme} goes through ${shownUrl}` };
    return { check, subject: variable, ...told("problem", "proxy-wrong", { variable }) };
  });
  const direct: DoctorFinding[] =
    excepted === undefined || named.length === 0
      ? []
      : [{ check, subject: excepted.variable, status: "ok", message: `reached directly: ${excepted.hosts}` }];
  return [...named, ...direct, ...(bundle === undefined ? [] : [bundleFinding(bundle)])];
}

function bundleFinding({ path, certificates }: NonNullable<NetworkFacts["bundle"]>): DoctorFinding {
  const finding: About = { check: "network", subject: "AWS_CA_BUNDLE" };
  if (certificates !== undefined && certificates > 0) {
    const what = certificates === 1 ? "the certificate" : `the ${certificates} certificates`;
    const message = `trusts ${what} in ${path} in place of Node's own`;
    return { ...finding, status: "ok", message };
  }
  const code = certificates === 0 ? "certificates-none" : "certificates-unreadable";
  return { ...finding, ...told("problem", code, { path }) };
}
