import { arch, platform } from "node:os";
import type Sharp from "sharp";
import { CliError } from "../errors.ts";

/**
 * Loads the decoder on first use (123 ms of start-up that other commands need not pay) and sets it up for one
 * picture at a time: no cache of operations, which only costs memory here. Two threads: measured on 12
 * megapixels, two cores, they are 10 to 30 % faster than the one that sharp chooses with glibc; more gain
 * little and each holds buffers of its own.
 * @throws CliError when no build of it is installed for this machine
 */
export async function loadSharp(): Promise<typeof Sharp> {
  const { default: sharp } = await load();
  sharp.cache(false);
  sharp.concurrency(2);
  return sharp;
}

/** Which decoder is installed and whether it knows HEIC; undefined when none can be loaded on this machine. */
export async function imageLibrary(): Promise<{ version: string; readsHeic: boolean } | undefined> {
  try {
    const sharp = await loadSharp();
    const suffixes = sharp.format.heif.input.fileSuffix ?? [];
    return { version: sharp.versions.sharp ?? "unknown", readsHeic: suffixes.includes(".heic") };
  } catch (error) {
    if (error instanceof CliError) return undefined;
    throw error;
  }
}

async function load(): Promise<{ default: typeof Sharp }> {
  try {
    return await import("sharp");
  } catch (error) {
    throw new CliError(`the picture library "sharp" cannot be loaded for ${platform()} ${arch()}`, {
      hint: "install again with optional packages: npm install --include=optional sharp",
      cause: error,
    });
  }
}
