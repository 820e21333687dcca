import type { CliError } from "../errors.ts";
import type { DocumentExtension } from "../model/document-types.ts";
import type { JsonObject } from "../model/json.ts";
import type { UserDocuments } from "./entry.ts";
import type { UploadSource } from "./examine.ts";
import type { Scanner, Unasked } from "./scanning.ts";

/** How far an upload of several files has come. */
export interface UploadProgress {
  readonly files: number;
  readonly doneFiles: number;
  readonly checkedBytes: number;
  readonly sentBytes: number;
  /** Of the files checked so far. */
  readonly bytesToSend: number;
}

export interface UploadRequest {
  /** Whose documents they become, as they stand now. */
  readonly user: UserDocuments;
  readonly type: string;
  readonly files: readonly UploadSource[];
  readonly tags: readonly string[];
  /** ISO 8601 UTC. */
  readonly expiresAt: string | undefined;
  /** Where the site has a word for it. */
  readonly isPublic?: boolean | undefined;
  /** Fields of the file's key that nothing but the caller knows. */
  readonly given?: Readonly<Record<string, string>>;
  /** Who uploads them, where the site keeps that as one of its own; else whoever is at work. */
  readonly uploader?: string | undefined;
  /** What they are attached to besides, by the fields that say so. */
  readonly attached?: Readonly<Record<string, string>>;
  readonly scanner: Scanner | Unasked;
  readonly maxBytes: number;
  readonly allowed: readonly DocumentExtension[];
  /** Makes the profile of a user who has none; called before the first entry is written. */
  readonly createProfile: (() => Promise<unknown>) | undefined;
  readonly dryRun: boolean;
  readonly onProgress: (progress: UploadProgress) => void;
  readonly onNote: (note: string) => void;
  readonly onWarning: (warning: string) => void;
}

/** What became of one file. */
export type UploadResult =
  | {
      readonly label: string;
      readonly outcome: "uploaded" | "unchanged" | "planned";
      readonly entry: JsonObject;
    }
  | { readonly label: string; readonly outcome: "failed"; readonly failure: CliError };
