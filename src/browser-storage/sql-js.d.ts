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

declare module "snappyjs" {
  /** Throws when the content would be longer than `maxLength`. */
  export function uncompress(compressed: Uint8Array, maxLength?: number): Uint8Array;
  export function compress(content: Uint8Array): Uint8Array;
}
