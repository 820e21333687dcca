/** What keeps a store from being opened, served or reset, for a program that wants to say more than the message. */
export type StoreFault =
  | "damaged"
  | "in-use"
  | "newer-format"
  | "no-folder"
  | "no-store"
  | "not-empty"
  | "port"
  | "served"
  | "symbolic-link";

/** A state of the folder or the machine that somebody has to mend. Everything else that is thrown is a fault of this package, or of the disk. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly fault: StoreFault;
  /** Of the process that has the store, where it is known. */
  readonly pid: number | undefined;

  constructor(fault: StoreFault, message: string, about: { pid?: number; cause?: unknown } = {}) {
    super(message, about.cause === undefined ? undefined : { cause: about.cause });
    this.fault = fault;
    this.pid = about.pid;
  }
}
