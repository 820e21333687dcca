/** Readers-writer locks by name, first come, first served, within this process. */
export interface Locks {
  /** Runs beside other `shared` holders of the name. */
  shared<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Runs alone. Whoever needs several names takes them in sorted order, or two may wait for each other. */
  exclusive<T>(name: string, work: () => Promise<T>): Promise<T>;
}

interface Line {
  /** Everyone a newcomer who wants to be alone has to wait for. */
  readonly holders: Set<Promise<void>>;
  lastExclusive: Promise<void> | undefined;
}

export function createLocks(): Locks {
  const lines = new Map<string, Line>();

  async function hold<T>(name: string, alone: boolean, work: () => Promise<T>): Promise<T> {
    const line = lines.get(name) ?? { holders: new Set(), lastExclusive: undefined };
    lines.set(name, line);
    const before = alone ? [...line.holders] : line.lastExclusive === undefined ? [] : [line.lastExclusive];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    line.holders.add(held);
    if (alone) line.lastExclusive = held;
    await Promise.all(before);
    try {
      return await work();
    } finally {
      line.holders.delete(held);
      if (line.holders.size === 0) lines.delete(name);
      release();
    }
  }

  return {
    shared: (name, work) => hold(name, false, work),
    exclusive: (name, work) => hold(name, true, work),
  };
}
