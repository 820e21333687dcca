import { describe, expect, it } from "vitest";
import { rowJudge } from "../../src/backup/erased-rows.ts";
import type { Link, Model } from "../../src/model/schema.ts";
import type { Row } from "../../src/sql/connection.ts";
import type { Database } from "../../src/sql/database.ts";

type Erased = Pick<Link, "role" | "erase">;

const table = (name: string, ...columns: string[]) => ({
  name,
  columns: ["id", ...columns].map((column) => ({ name: column, type: "text", as: "text" as const })),
  key: ["id"],
  parents: [],
});
const tables = [table("threads", "user_id"), table("letters", "thread_id")];
const threads = [
  { id: "t-1", user_id: "gone" },
  { id: "t-2", user_id: "other" },
];

/** Letters are deleted with their thread. */
async function judged(thread: Erased) {
  const linked = { subject: "user", find: "scan" } as const;
  const model: Model = {
    name: "post",
    region: "eu-central-1",
    subjects: { user: { what: "user", accounts: "cognito", ids: ["sub"] } },
    buckets: {},
    tables: {},
    entities: {
      threads: {
        what: "threads",
        from: { database: "main", table: "threads" },
        fields: { id: "text", user_id: "text" },
        links: [{ ...linked, ...thread, by: "user_id" }],
      },
      letters: {
        what: "letters",
        from: { database: "main", table: "letters" },
        fields: { id: "text", thread_id: "text" },
        refs: { thread_id: "threads.id" },
        links: [{ ...linked, role: "subject", erase: "delete", by: { via: "thread_id" } }],
      },
    },
  };
  const named: string[] = [];
  const judge = await rowJudge({
    model,
    database: { role: "main", engine: "postgres" } as Database,
    catalogue: new Map(),
    isErased: (id) => id === "gone",
    onSuppressed: (id) => named.push(id),
    async *read(name) {
      if (name === "threads") yield threads;
    },
    tables,
  });
  const [ofThreads, ofLetters] = tables;
  if (ofThreads === undefined || ofLetters === undefined) throw new Error("no tables");
  const whileNoted = [...named];
  const letter = (thread_id: string): Row => ({ id: "l", thread_id });
  return {
    whileNoted,
    thread: judge(ofThreads, threads[0] ?? {}),
    others: judge(ofThreads, threads[1] ?? {}).is,
    letters: ["t-1", "t-2"].map((of) => judge(ofLetters, letter(of)).is),
  };
}

describe("a row that goes by one of an erased person's", () => {
  it.each<[string, Erased, string, string, string]>([
    ["that is deleted", { role: "subject", erase: "delete" }, "suppressed", "gone", "suppressed"],
    ["that is kept", { role: "subject", erase: { keep: { basis: "books" } } }, "whole", "gone", "suppressed"],
    ["that is nobody's by then", { role: "subject", erase: "null" }, "whole", "null", "suppressed"],
    ["that they only wrote", { role: "author", erase: "delete" }, "suppressed", "gone", "whole"],
    ["that names them by another name", { role: "author", erase: "pseudonym" }, "whole", "erased-", "whole"],
    ["that names another then", { role: "mention", erase: { set: "nobody" } }, "whole", "nobody", "whole"],
  ])("%s", async (_which, thread, is, name, letter) => {
    const found = await judged(thread);
    expect(found).toMatchObject({ whileNoted: [], others: "whole", letters: [letter, "whole"] });
    expect([found.thread.is, String(found.thread.row["user_id"])]).toEqual([
      is,
      expect.stringContaining(name),
    ]);
  });
});
