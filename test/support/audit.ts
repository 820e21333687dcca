import { noAudit, type Audit } from "../../src/audit/audit.ts";
import { commitUntold } from "../../src/audit/commit.ts";
import { around } from "../../src/audit/around.ts";
import type { AuditEvent } from "../../src/model/audit.ts";

/** A trail that tells `record` what a real one would write. */
export function listeningAudit(record: (events: readonly AuditEvent[]) => unknown): Audit {
  const write = async (events: readonly AuditEvent[]) => {
    if (events.length > 0) await record(events);
  };
  const claim = { number: () => 0, begin: () => 0, end() {} };
  return {
    ...noAudit,
    ...around({
      record: write,
      commit: async (aws, committed) => {
        const isDone = await commitUntold(aws, committed);
        if (isDone) await write([committed.told].flat());
        return isDone;
      },
      claim,
      warn() {},
    }),
    record: (told) => write([told].flat()),
  };
}
