import type { Aws } from "../../aws/clients.ts";

/** Where the digital twin of one environment may live. */
export interface TwinSite {
  readonly aws: Aws;
  /** The table of the profiles; the twin's too when its keys are composite. */
  readonly profileTable: string;
  /** The twin's own table, beside a profile table whose only key is `userId`. */
  readonly twinTable: string;
  readonly signal: AbortSignal;
}
