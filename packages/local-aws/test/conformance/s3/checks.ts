import { accessChecks } from "./access.ts";
import { bodyChecks } from "./bodies.ts";
import { bucketSettingChecks } from "./bucket-settings.ts";
import { bucketChecks } from "./buckets.ts";
import { checksumChecks } from "./checksums.ts";
import { conditionChecks } from "./conditions.ts";
import { copyChecks } from "./copy.ts";
import { corsChecks } from "./cors.ts";
import { deletionChecks } from "./deletion.ts";
import { errorChecks } from "./errors.ts";
import { keyChecks } from "./keys.ts";
import { listingChecks } from "./listing.ts";
import { multipartContentChecks } from "./multipart-content.ts";
import { multipartChecks } from "./multipart.ts";
import { objectChecks } from "./objects.ts";
import { postFormChecks } from "./post-form.ts";
import { presignedChecks } from "./presigned.ts";
import { taggingChecks } from "./tagging.ts";
import type { Check } from "./trial.ts";
import { versionChecks } from "./versions.ts";

/** Every check by theme. A name is said once in all of them: known differences go by it. */
export const s3Checks: Readonly<Record<string, readonly Check[]>> = {
  buckets: bucketChecks,
  "bucket settings": bucketSettingChecks,
  CORS: corsChecks,
  objects: objectChecks,
  conditions: conditionChecks,
  checksums: checksumChecks,
  bodies: bodyChecks,
  copy: copyChecks,
  deletion: deletionChecks,
  versions: versionChecks,
  listing: listingChecks,
  keys: keyChecks,
  tagging: taggingChecks,
  multipart: multipartChecks,
  "multipart content": multipartContentChecks,
  "presigned links": presignedChecks,
  forms: postFormChecks,
  access: accessChecks,
  errors: errorChecks,
};
