import { ClassicLevel } from "classic-level";

/** A range of keys; bounds as LevelDB takes them. */
export interface Range {
  gt?: string;
  gte?: string;
  lt?: string;
}

export type Write =
  | { readonly type: "put"; readonly key: string; readonly value: unknown }
  | { readonly type: "del"; readonly key: string };

/** One LevelDB of JSON values. */
export interface Database {
  get<T>(key: string): Promise<T | undefined>;
  /** All or nothing; on the disk when it resolves. */
  write(writes: readonly Write[]): Promise<void>;
  /** In the order of the keys, read from one snapshot. */
  entries<T>(range: Range): AsyncGenerator<readonly [string, T], void, undefined>;
  keys(range: Range): Promise<string[]>;
  /** Runs one task after the other: reading, deciding and writing is then one step for everyone else. */
  exclusive<T>(task: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Rows fetched from LevelDB at once. */
const pageRows = 256;

/** All keys that begin with `prefix`, which ends with NUL. */
export function under(prefix: string): Range {
  return { gte: prefix, lt: `${prefix.slice(0, -1)}\u0001` };
}

/** Opens (or makes) the database in `dir`. Rejects when another process has it open. */
export async function openDatabase(dir: string): Promise<Database> {
  const level = new ClassicLevel<string, unknown>(dir, { valueEncoding: "json" });
  await level.open();
  let queue: Promise<unknown> = Promise.resolve();
  return {
    async get<T>(key: string) {
      return (await level.get(key)) as T | undefined;
    },
    write: (writes) => level.batch([...writes], { sync: true }),
    async *entries<T>(range: Range) {
      const iterator = level.iterator(range);
      try {
        for (;;) {
          const page = await iterator.nextv(pageRows);
          if (page.length === 0) return;
          for (const [key, value] of page) yield [key, value as T] as const;
        }
      } finally {
        await iterator.close();
      }
    },
    keys: (range) => level.keys(range).all(),
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
