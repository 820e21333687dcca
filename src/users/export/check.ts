import { createHash } from "node:crypto";
import { mkdtemp, open, rm, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromFd, type Entry, type ZipFile } from "yauzl";
import * as z from "zod";
import { ageCipher } from "../../backup/encryption.ts";
import { CliError, exitCodes } from "../../errors.ts";
import { manifestName } from "./parts.ts";

const manifestSchema = z.looseObject({
  format: z.literal(1),
  exportedAt: z.iso.datetime(),
  parts: z.array(z.looseObject({ name: z.string(), bytes: z.number(), sha256: z.string() })),
  missing: z.array(z.unknown()),
});

/** What an export does not hold of what its manifest says; nothing where all is as it was written. */
export interface CheckedExport {
  readonly exportedAt: string;
  readonly parts: number;
  readonly bytes: number;
  readonly findings: readonly string[];
}

/**
 * Reads a whole export and compares each part with the manifest in it. An encrypted one is decrypted into a file without a name meanwhile.
 * @throws CliError for what is no export, and for an encrypted one without its identity.
 */
export async function checkExport(file: string, identity: string | undefined): Promise<CheckedExport> {
  const handle = await open(file, "r").catch((error: NodeJS.ErrnoException) => {
    throw new CliError(`${file} cannot be read: ${error.code ?? "unknown reason"}`, {
      exitCode: exitCodes.usage,
      cause: error,
    });
  });
  try {
    if (!(await handle.stat()).isFile())
      throw new CliError(`${file} is no regular file`, { exitCode: exitCodes.usage });
    if (!(await isEncrypted(handle))) return await checkZip(handle, file);
    if (identity === undefined) {
      throw new CliError(`${file} is encrypted`, {
        exitCode: exitCodes.usage,
        hint: "--identity names the file with the age identity that opens it",
      });
    }
    const plain = await withoutName();
    try {
      const sealed = handle.createReadStream({ start: 0, autoClose: false });
      for await (const chunk of opening(file, identity, sealed)) await plain.appendFile(chunk);
      return await checkZip(plain, file);
    } finally {
      await plain.close();
    }
  } finally {
    await handle.close();
  }
}

async function* opening(
  file: string,
  identity: string,
  sealed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const identities = identity.split(/\r?\n/).filter((line) => /^AGE-SECRET-KEY-1/i.test(line.trim()));
  try {
    const cipher = await ageCipher(
      [],
      identities.map((line) => line.trim()),
    );
    yield* await cipher.openStream(sealed);
  } catch (cause) {
    throw new CliError(`${file} cannot be opened with this identity, or is damaged`, { cause });
  }
}

async function isEncrypted(handle: FileHandle): Promise<boolean> {
  const beginning = Buffer.alloc(ageHeader.length);
  await handle.read(beginning, 0, beginning.length, 0);
  return beginning.toString("latin1") === ageHeader;
}

const ageHeader = "age-encryption.org/v1";

/** A file that nobody can find, and that is gone with this process. */
async function withoutName(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), "mawps-"));
  try {
    return await open(join(folder, "export.zip"), "wx+", 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** So large no manifest is that the tool wrote; one that is would fill the memory. */
const mostManifestBytes = 512 * 1024 ** 2;

async function checkZip(handle: FileHandle, file: string): Promise<CheckedExport> {
  const found = new Map<string, { readonly bytes: number; readonly sha256: string }>();
  const findings: string[] = [];
  let manifest: unknown;
  try {
    const zip = await opened(handle);
    for await (const entry of entriesOf(zip)) {
      const name = entry.fileName;
      if (found.has(name)) findings.push(`${name} is there twice`);
      const isManifest = name === manifestName;
      if (isManifest && entry.uncompressedSize > mostManifestBytes)
        throw new RangeError("the manifest is too large");
      const hash = createHash("sha256");
      const kept: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of await bytesOf(zip, entry)) {
        hash.update(chunk);
        bytes += chunk.byteLength;
        if (isManifest) kept.push(chunk);
      }
      found.set(name, { bytes, sha256: hash.digest("hex") });
      if (isManifest) manifest = JSON.parse(Buffer.concat(kept).toString());
    }
  } catch (cause) {
    throw new CliError(
      `${file} is no export, or is damaged: ${cause instanceof Error ? cause.message : ""}`,
      {
        exitCode: exitCodes.findings,
        cause,
      },
    );
  }
  const { data } = manifestSchema.safeParse(manifest);
  if (data === undefined)
    throw new CliError(`${file} is no export: it has no ${manifestName}`, { exitCode: exitCodes.findings });
  const known = new Set(data.parts.map(({ name }) => name));
  for (const { name, sha256 } of data.parts) {
    const part = found.get(name);
    if (part === undefined) findings.push(`${name} is missing`);
    else if (part.sha256 !== sha256) findings.push(`${name} is not what was written`);
  }
  for (const name of found.keys())
    if (name !== manifestName && !known.has(name)) findings.push(`${name} was added`);
  const bytes = [...found.values()].reduce((sum, part) => sum + part.bytes, 0);
  return { exportedAt: data.exportedAt, parts: data.parts.length, bytes, findings };
}

async function opened(handle: FileHandle): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    fromFd(handle.fd, { lazyEntries: true, autoClose: false }, (error, zip) =>
      error === null ? resolve(zip) : reject(error),
    );
  });
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      zip.once("entry", resolve);
      zip.once("end", () => resolve(undefined));
      zip.once("error", reject);
      zip.readEntry();
    });
    zip.removeAllListeners();
    if (entry === undefined) return;
    yield entry;
  }
}

async function bytesOf(zip: ZipFile, entry: Entry): Promise<AsyncIterable<Uint8Array>> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error === null ? resolve(stream) : reject(error)));
  });
}
