import { ClassicLevel } from "classic-level";

/** A range of keys; bounds as LevelDB takes them. */
export interface Range {
  gt?: string;
  gte?: string;
  lt?: string;
  lte?: string;
  reverse?: boolean;
  /** -1: all. */
  limit?: number;
}

export type Write =
  | { readonly type: "put"; readonly key: string; readonly value: unknown }
  | { readonly type: "del"; readonly key: string };

/** Rows fetched from LevelDB at once. */
const pageRows = 256;

/**
 * One LevelDB of JSON values. A batch is atomic, also under `kill -9`: what was acknowledged is in the log that
 * the kernel holds. It is not flushed to the disk for each write, so a power cut may lose the last moments, never
 * half a batch.
 */
export interface Database {
  get<T>(key: string): Promise<T | undefined>;
  batch(writes: readonly Write[]): Promise<void>;
  /** Values in the order of their keys, read from one snapshot. */
  values<T>(range: Range): AsyncGenerator<T, void, undefined>;
  keys(range: Range): Promise<string[]>;
  entries<T>(range: Range): AsyncGenerator<readonly [string, T], void, undefined>;
  clear(range: Range): Promise<void>;
  /** Runs one task after the other: reading, deciding and writing is then one step for everyone else. */
  exclusive<T>(task: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** All keys that start with `prefix`; `~` is the highest character that a key of this store holds. */
export function under(prefix: string): Range {
  return { gte: prefix, lt: `${prefix}\u{10ffff}` };
}

/** Opens (or makes) the database in `dir`. Rejects when another process has it open. */
export async function openDatabase(dir: string): Promise<Database> {
  const level = new ClassicLevel<string, unknown>(dir, { valueEncoding: "json" });
  await level.open();
  let queue: Promise<unknown> = Promise.resolve();

  async function* entries<T>(range: Range): AsyncGenerator<readonly [string, T], void, undefined> {
    const iterator = level.iterator(range);
    try {
      for (;;) {
        const page = await iterator.nextv(pageRows);
        if (page.length === 0) return;
        for (const [key, value] of page) yield [key, value as T];
      }
    } finally {
      await iterator.close();
    }
  }

  return {
    entries,
    async get<T>(key: string) {
      return (await level.get(key)) as T | undefined;
    },
    batch: (writes) => level.batch([...writes]),
    async *values<T>(range: Range) {
      const iterator = level.values(range);
      try {
        for (;;) {
          const page = await iterator.nextv(pageRows);
          if (page.length === 0) return;
          for (const value of page) yield value as T;
        }
      } finally {
        await iterator.close();
      }
    },
    async keys(range) {
      return level.keys(range).all();
    },
    clear: (range) => level.clear(range),
    exclusive(task) {
      const run = queue.then(task);
      queue = run.catch(() => undefined);
      return run;
    },
    async close() {
      await queue;
      await level.close();
    },
  };
}
