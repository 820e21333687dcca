import type { Store } from "../../src/backup/store.ts";

/** Thrown in the place of a write that never came to pass, and by all that is asked of the store from then on. */
export class Died extends Error {}

export interface MortalStore extends Store {
  /** Writes and removals that came to pass. */
  readonly writes: number;
}

/** A store whose process dies at its n-th write: before it, or right behind it, when nobody is told any more. */
export function mortalStore(
  store: Store,
  { at, behind }: { readonly at: number; readonly behind: boolean },
): MortalStore {
  let writes = 0;
  let isDead = false;
  const alive = <T>(work: () => Promise<T>): Promise<T> =>
    isDead ? Promise.reject(new Died("dead")) : work();
  const mortal = async <T>(write: () => Promise<T>): Promise<T> => {
    if (isDead) throw new Died("dead");
    writes += 1;
    if (writes < at) return write();
    isDead = true;
    if (behind) await write();
    throw new Died("died");
  };
  return {
    where: store.where,
    get writes() {
      return writes;
    },
    stat: (name, signal) => alive(() => store.stat(name, signal)),
    readBytes: (name, signal) => alive(() => store.readBytes(name, signal)),
    open: (name, signal) => alive(() => store.open(name, signal)),
    create: (name, bytes, signal) => mortal(() => store.create(name, bytes, signal)),
    createFromFile: (name, path, signal) => mortal(() => store.createFromFile(name, path, signal)),
    replace: (name, bytes, signal) => mortal(() => store.replace(name, bytes, signal)),
    replaceFromFile: (name, path, signal) => mortal(() => store.replaceFromFile(name, path, signal)),
    list: (prefix, signal) => store.list(prefix, signal),
    remove: (names, signal) => mortal(() => store.remove(names, signal)),
  };
}
