/** The part of sql.js that is used, for its build with the wasm inlined (@types/sql.js knows the main build only). */
declare module "sql.js/dist/sql-wasm-inline.js" {
  type Value = number | string | Uint8Array | null;

  interface Statement {
    bind(values: Value[]): boolean;
    step(): boolean;
    get(): Value[];
  }

  interface Database {
    prepare(sql: string): Statement;
    run(sql: string): Database;
    export(): Uint8Array;
    /** Frees the statements too. */
    close(): void;
  }

  const initSqlJs: () => Promise<{ Database: new (image?: Uint8Array) => Database }>;
  export { initSqlJs as default };
}

/** A bundler gives a CommonJS module that is imported dynamically its default export only. */
declare module "snappyjs" {
  const snappy: {
    /** Throws when the content would be longer than `maxLength`. */
    uncompress(compressed: Uint8Array, maxLength?: number): Uint8Array;
  };
  export { snappy as default };
}
