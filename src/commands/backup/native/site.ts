import { InvalidArgumentError } from "@commander-js/extra-typings";
import type { ExportPlace } from "../../../aws/dynamodb/table-export.ts";
import type { NativeSite } from "../../../backup/native-site.ts";
import { configuredSite } from "../../../target.ts";
import type { Access } from "../../../world.ts";
import type { Run } from "../../run.ts";

/** What a verb on AWS's own backups works with; progress is told once `waiting` was begun. */
export interface NativeRun {
  readonly site: NativeSite;
  /** Begins to tell what is waited for. */
  waiting(text: string): Promise<{ stop(): void }>;
}

export async function nativeRun(run: Run, access: Access): Promise<NativeRun> {
  const { world } = run;
  let tell: (text: string) => void = () => undefined;
  return {
    site: {
      aws: await run.aws(access),
      declaration: configuredSite(run.config),
      signal: world.signal,
      now: () => world.now(),
      tell: (text) => tell(text),
      audit: run.audit,
    },
    async waiting(text) {
      const progress = await run.progress(text);
      tell = (next) => progress.update(next);
      return progress;
    },
  };
}

/** DynamoDB: 3 to 255 characters of a-z, A-Z, 0-9, underscore, hyphen and dot; of tables and backups alike. */
export function nativeName(text: string): string {
  if (/^[\w.-]{3,255}$/.test(text)) return text;
  throw new InvalidArgumentError("expected 3 to 255 of a-z, A-Z, 0-9, '_', '-', '.'.");
}

/** `s3://bucket` or `s3://bucket/prefix`. */
export function s3Place(text: string): ExportPlace {
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(text) ?? [];
  if (bucket === undefined) throw new InvalidArgumentError("expected s3://bucket or s3://bucket/prefix.");
  return { bucket, prefix: prefix.replace(/\/+$/, "") };
}
