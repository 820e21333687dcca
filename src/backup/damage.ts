import { inParallel } from "../concurrency.ts";
import { CliError, exitCodes } from "../errors.ts";
import type { Store } from "./store.ts";

/** Something of the repository is not what was written: missing, cut off, changed, or another one's. */
export class DamagedError extends CliError {
  constructor(what: string, cause?: unknown) {
    super(what, {
      exitCode: exitCodes.findings,
      hint: "`mawps backup verify --all` shows all that is damaged; another snapshot may still be whole",
      cause,
    });
  }
}

/** The message of damage; anything else is thrown on. EIO: the medium itself cannot read it any more. */
export function damageIn(error: unknown): string {
  if (error instanceof DamagedError) return error.message;
  if (error instanceof Error && "code" in error && error.code === "EIO") return error.message;
  throw error;
}

/*
 * `damaged/<name>` marks the content `data/ab/<name>`: a verify found that its file is missing or holds something else. The
 * name is all that counts, so that a mark cannot be damaged itself, and two commands cannot lose each other's. It is
 * there until the content is written again or found whole, or a prune finds that no backup refers to it.
 */

/** A content that was found damaged. */
export interface DamageMark {
  /** Of the content. */
  readonly name: string;
  /** By the store's clock, ISO 8601. One that was mended and damaged again has another. */
  readonly since: string;
}

export function markOf(contentName: string): string {
  return `damaged/${contentName.slice("data/ab/".length)}`;
}

export async function damageMarks(store: Store, signal?: AbortSignal): Promise<DamageMark[]> {
  const found: DamageMark[] = [];
  for await (const { name, modifiedAt } of store.list("damaged/", signal)) {
    const [, hash] = /^damaged\/([\da-f]{64})$/.exec(name) ?? [];
    if (hash !== undefined)
      found.push({ name: `data/${hash.slice(0, 2)}/${hash}`, since: modifiedAt.toISOString() });
  }
  return found;
}

/** What it takes of a repository that can be read. */
interface Readable {
  readonly store: Store;
  isWhole(name: string, signal?: AbortSignal): Promise<boolean>;
}

const readsAtOnce = 8;
const marking = Buffer.from(
  "`mawps backup verify` found it damaged; the next `mawps backup create` writes it again\n",
);

/**
 * Looks at each suspected and each marked content as it is now, marks what is damaged, and removes the marks of what is whole.
 * A suspect may be whole: another command may have mended it meanwhile, and a manifest may say wrong things of a content.
 */
export async function markDamage(
  repository: Readable,
  suspects: Iterable<string>,
  signal?: AbortSignal,
): Promise<void> {
  const { store } = repository;
  const marked = (await damageMarks(store, signal)).map(({ name }) => name);
  await inParallel(new Set([...suspects, ...marked]), readsAtOnce, async (name) => {
    if (await isWhole(repository, name, signal)) await store.remove([markOf(name)], signal);
    else await store.create(markOf(name), marking, signal);
  });
}

async function isWhole(repository: Readable, name: string, signal?: AbortSignal): Promise<boolean> {
  try {
    return await repository.isWhole(name, signal);
  } catch (error) {
    damageIn(error);
    return false;
  }
}
