import { commitUntold } from "./commit.ts";
import type { AuditTrail } from "./trail.ts";

/** The trail as a subject is handed it: it opens when something is first told of, or ahead of that. */
export interface Audit extends AuditTrail {
  /**
   * Looks beside other preparation whether the trail can be read and written, so that nobody waits for that later; before a
   * question too, as it writes nothing.
   */
  prepare(): void;
  /**
   * Opens it and announces the run, for what is sure to be told of; rejects when it cannot be read and written. It may be
   * awaited later, or never: whoever tells something next hears of a failure.
   */
  open(): Promise<void>;
}

/**
 * @param openTrail is called once. What it is given resolves when something is about to be told of; before, it may write
 * nothing.
 */
export function audited(openTrail: (begins: Promise<void>) => Promise<AuditTrail>): Audit {
  let opening: Promise<AuditTrail> | undefined;
  let isAsked = false;
  let begin = () => {};
  const begins = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const prepare = () => {
    opening ??= openTrail(begins);
    // Told to whoever comes to use it.
    opening.catch(() => undefined);
    return opening;
  };
  const opened = () => {
    isAsked = true;
    begin();
    return prepare();
  };
  return {
    prepare: () => void prepare(),
    open() {
      const isOpen = opened().then(() => undefined);
      isOpen.catch(() => undefined);
      return isOpen;
    },
    change: async (told, act, outcome) => (await opened()).change(told, act, outcome),
    irreversible: async (told, act, outcome) => (await opened()).irreversible(told, act, outcome),
    record: async (told) => (await opened()).record(told),
    async settle() {
      const trail = isAsked ? await opening?.catch(() => undefined) : undefined;
      await trail?.settle();
    },
  };
}

/** The same, but nothing is kept, and no trail opened, while there is nothing that anybody could read or change. */
export function unlessNothingIsThere(audit: Audit, isNothingThere: () => Promise<boolean>): Audit {
  const now = async () => ((await isNothingThere()) ? noAudit : audit);
  const begun = <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => undefined);
    return work;
  };
  return {
    prepare: () => void begun(now().then((each) => each.prepare())),
    open: () => begun(now().then((each) => each.open())),
    change: async (told, act, outcome) => (await now()).change(told, act, outcome),
    irreversible: async (told, act, outcome) => (await now()).irreversible(told, act, outcome),
    record: async (told) => (await now()).record(told),
    settle: () => audit.settle(),
  };
}

/** Keeps nothing: for dry runs, and where the configuration turns the trail off. */
export const noAudit: Audit = {
  prepare() {},
  async open() {},
  change: (_told, act) => act(commitUntold),
  irreversible: (_told, act) => act(),
  async record() {},
  async settle() {},
};
