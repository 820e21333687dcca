import type { Aws } from "./aws/clients.ts";
import type { Limits } from "./aws/limits.ts";
import type { Config } from "./config/config.ts";

export interface Output {
  write(text: string | Uint8Array): boolean;
  readonly isTTY?: boolean;
  readonly columns?: number;
  once(event: "drain" | "error" | "close", listener: () => void): unknown;
}

/** Questions to a person. Never asked without a terminal: the callers see to that. */
export interface Prompts {
  /** The question may be in colours. */
  confirm(question: string, fallback: boolean): Promise<boolean>;
  input(
    question: string,
    options?: { fallback?: string; check?: (answer: string) => true | string },
  ): Promise<string>;
  /** What is typed is not shown. */
  password(question: string): Promise<string>;
  select(question: string, choices: readonly { value: string; name: string }[]): Promise<string>;
}

export interface Machine {
  readonly host: string;
  /** Id of this process. */
  readonly pid: number;
  /** Whether a process with this id lives on this machine. */
  isAlive(pid: number): boolean;
}

/** What `reads` sees a store that does not exist yet as empty; `writes` makes it. */
export type Access = "reads" | "writes";

/** Everything of the outside that the program may touch. Made once, handed in, replaced in tests. */
export interface World {
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The user's home folder. */
  readonly home: string;
  readonly platform: NodeJS.Platform;
  /** What is typed to call this program again: `mawps` where a shell finds it, else with its path. */
  readonly command: string;
  readonly nodeVersion: string;
  readonly prompts: Prompts;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** Name of the account that the process runs as. */
  account(): string;
  now(): Date;
  /** Cryptographically random bytes as lower-case hex. */
  randomHex(bytes: number): string;
  /** For telling whether another command is still at work. */
  readonly machine: Machine;
  /** The program of the thread that saves files (aws/raw/save-worker.ts); undefined where it is not bundled. */
  readonly saveWorker: string | undefined;
  /** Shows a URL in the person's browser. */
  openUrl(url: string): Promise<void>;
  /** How long a server may be silent, where not the defaults hold: for tests. */
  readonly limits?: Partial<Limits>;
  /** Base-2 logarithm of what one guess of a new repository's passphrase costs, where not age's own: for tests. */
  readonly passphraseWork?: number;
  /** Clients for the configured target, and how to let go of them. */
  connect(config: Config, access: Access): Promise<Connection>;
}

/** The same world, but for these. What it looks at late is still looked at late. */
export function worldWith(world: World, others: Partial<World>): World {
  const properties = {
    ...Object.getOwnPropertyDescriptors(world),
    ...Object.getOwnPropertyDescriptors(others),
  };
  return Object.defineProperties({}, properties) as World;
}

export interface Connection {
  readonly aws: Aws;
  /** For people: the store's folder, or the endpoint. */
  readonly where: string;
  /** Folder of the databases that are embedded in a local store; undefined elsewhere. */
  readonly databases?: string;
  /** An empty store in place of a local one that is not there: whatever is written is gone with it. */
  readonly keepsNothing?: boolean;
  close(): Promise<void>;
}
