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

/** One LevelDB of JSON values. */
export interface Database {
  get<T>(key: string): Promise<T | undefined>;
  /** All or nothing, also under `kill -9`: what was acknowledged is in the log that the kernel holds. */
  write(writes: readonly Write[]): Promise<void>;
  /** In the order of their keys, read from one snapshot. */
  values<T>(range: Range): AsyncGenerator<T, void, undefined>;
  /** In the order of the keys, read from one snapshot. */
  entries<T>(range: Range): AsyncGenerator<readonly [string, T], void, undefined>;
  keys(range: Range): Promise<string[]>;
  clear(range: Range): Promise<void>;
  /** Runs one task after the other: reading, deciding and writing is then one step for everyone else. */
  exclusive<T>(task: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Rows fetched from LevelDB at once. */
const pageRows = 256;

/** All keys that begin with `prefix`, which ends with a character of ASCII. */
export function under(prefix: string): Range {
  const last = prefix.length - 1;
  return { gte: prefix, lt: prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1) };
}

/**
 * Opens (or makes) the database in `dir`. Rejects when another process has it open.
 * @param sync whether a write is on the disk when it resolves; else a power cut may lose the last moments, never half of a write.
 */
export async function openDatabase(dir: string, { sync }: { readonly sync: boolean }): Promise<Database> {
  const level = new ClassicLevel<string, unknown>(dir, { valueEncoding: "json" });
  await level.open();
  let queue: Promise<unknown> = Promise.resolve();
  return {
    async get<T>(key: string) {
      return (await level.get(key)) as T | undefined;
    },
    write: (writes) => level.batch([...writes], { sync }),
    values: <T>(range: Range) => rows(level.values(range) as Pages<T>),
    entries: <T>(range: Range) => rows(level.iterator(range) as Pages<readonly [string, T]>),
    keys: (range) => level.keys(range).all(),
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

/** As LevelDB's iterators of keys, values and both give their rows. */
interface Pages<Row> {
  nextv(size: number): Promise<Row[]>;
  close(): Promise<void>;
}

async function* rows<Row>(iterator: Pages<Row>): AsyncGenerator<Row, void, undefined> {
  try {
    for (;;) {
      const page = await iterator.nextv(pageRows);
      if (page.length === 0) return;
      for (const row of page) yield row;
    }
  } finally {
    await iterator.close();
  }
}
