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
}

/** The oldest version of Node.js that is tested. */
const oldestNode = [20, 19] as const;

/** Room under which a picture or a document may no longer fit. */
const scarceBytes = 1024 ** 3;

/** Judges the tool's own surroundings. */
export function toolFindings({ nodeVersion, images, store }: ToolFacts): Finding[] {
  return [
    nodeFinding(nodeVersion),
    imagesFinding(images),
    ...(store === undefined ? [] : [storeFinding(store)]),
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
  const free = `${Math.floor(freeBytes / 1024 ** 2)} MiB free`;
  if (freeBytes >= scarceBytes) return { ...finding, status: "ok", message: `can be written to, ${free}` };
  return { ...finding, status: "warning", message: `only ${free}`, remedy: "make room on the disk" };
}
