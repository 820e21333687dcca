import { listeningAudit } from "../support/audit.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stoppable } from "../../src/concurrency.ts";
import { getItem } from "../../src/aws/dynamodb/items.ts";
import { entryWithId, readDocuments } from "../../src/documents/entries.ts";
import { addEntries } from "../../src/documents/entry-append.ts";
import { changeEntries, removeEntries } from "../../src/documents/entry-changes.ts";
import { carryOut, planTags } from "../../src/documents/change.ts";
import type { AuditEvent } from "../../src/model/audit.ts";
import { openDocumentSite, type ChangingSite, type DocumentSite } from "../../src/documents/site.ts";
import { profileTable, putProfile, readEntries, readItem, userKey } from "../support/documents.ts";
import { foreignAttributes, type Shape } from "../support/owner-item.ts";
import { makeHome, type TestHome } from "../support/world.ts";

let home: TestHome;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(() => home.remove());

describe.each(["simple", "composite"] as const)("entries on the %s table", (shape: Shape) => {
  /** Works on the store as a command would. */
  const work = <T>(what: (site: DocumentSite) => Promise<T>) =>
    home.look(
      async (aws) =>
        what(
          await openDocumentSite({
            aws,
            bucket: "mawps-user-files-1760106396",
            table: profileTable,
            uploadsBucket: "mawps-profile-images",
            apiTable: "mawps-user-documents",
            ownTable: "mawps-migrations",
            userPoolId: undefined,
            now: () => new Date("2026-03-01T12:00:00Z"),
            signal: stoppable(undefined).signal,
          }),
        ),
      { MAWPS_NEW_TABLE_SHAPE: shape },
    );
  const ids = (site: DocumentSite) =>
    readEntries(site.aws, "user-1", shape).then((entries) => entries.map(({ id }) => id));

  it("keeps all of twenty that are added at the same time, and everything else of the item", () =>
    work(async (site) => {
      await putProfile(site.aws, "user-1", foreignAttributes);
      const before = await readItem(site.aws, "user-1", shape);
      const names = Array.from({ length: 20 }, (_, at) => `doc-${at}`);
      await Promise.all(
        names.map(async (id) => addEntries(site, await readDocuments(site, "user-1"), [{ id, name: id }])),
      );
      expect(new Set(await ids(site))).toEqual(new Set(names));
      const { documents, ...rest } = (await readItem(site.aws, "user-1", shape)) ?? {};
      expect(documents?.L).toHaveLength(20);
      expect(rest).toEqual(before);
    }));

  it("changes and removes the right ones of fifty while others remove and add", () =>
    work(async (site) => {
      await putProfile(site.aws, "user-1");
      const user = await readDocuments(site, "user-1");
      const made = Array.from({ length: 50 }, (_, at) => ({ id: `doc-${at}`, status: "READY" }));
      const entries = await addEntries(site, user, made);
      const odd = entries.filter((_, at) => at % 2 === 1);
      const thirds = entries.filter((_, at) => at % 3 === 0);
      await Promise.all([
        removeEntries(
          site,
          odd.map((entry) => ({ entry })),
        ),
        changeEntries(
          site,
          thirds.map((entry) => ({ entry, set: { status: "DELETED" } })),
        ),
        ...Array.from({ length: 10 }, (_, at) => addEntries(site, user, [{ id: `new-${at}` }])),
      ]);
      const after = await readEntries(site.aws, "user-1", shape);
      const even = made.filter((_, at) => at % 2 === 0);
      expect(after.filter(({ id }) => String(id).startsWith("doc-"))).toEqual(
        even.map(({ id }) => ({ id, status: Number(id.slice(4)) % 3 === 0 ? "DELETED" : "READY" })),
      );
      expect(after.filter(({ id }) => String(id).startsWith("new-"))).toHaveLength(10);
    }));

  it("keeps the tags of ten who tag the same entry at once, and records what each came to", () =>
    work(async (site) => {
      await putProfile(site.aws, "user-1", { documents: [{ id: "doc-1", name: "a.txt" }] });
      const recorded: AuditEvent[] = [];
      const changing: ChangingSite = {
        ...site,
        actor: "tester",
        audit: listeningAudit((events) => recorded.push(...events)),
        randomHex: () => "",
      };
      const tags = Array.from({ length: 10 }, (_, at) => `tag-${at}`);
      const read = await Promise.all(tags.map(() => readDocuments(site, "user-1")));
      const outcomes = await Promise.all(
        tags.map((tag, at) => {
          const user = read[at] ?? {
            userId: "user-1",
            profile: undefined,
            isKnown: true,
            entries: [],
            strange: [],
          };
          return carryOut(changing, planTags(user, "doc-1", { add: [tag], remove: [] }).changes, user);
        }),
      );
      expect(outcomes.flatMap(({ failures }) => failures)).toEqual([]);
      const [entry] = await readEntries(site.aws, "user-1", shape);
      expect(new Set(entry?.["tags"] as string[])).toEqual(new Set(tags));
      expect(Math.max(...recorded.map(({ details }) => details?.tags?.length ?? 0))).toBe(10);
    }));

  it("says which entries are gone and which somebody else changed, and changes the others", () =>
    work(async (site) => {
      const documents = ["a", "b", "c"].map((id) => ({ id, status: "READY" }));
      await putProfile(site.aws, "user-1", { documents });
      const { entries } = await readDocuments(site, "user-1");
      await putProfile(site.aws, "user-1", {
        documents: [
          { id: "c", status: "READY" },
          { id: "b", status: "INFECTED" },
        ],
      });
      const outcome = await changeEntries(
        site,
        entries.map((entry) => ({ entry, set: { status: "DELETED" }, unchanged: ["status"] })),
      );
      expect(outcome.missing.map(({ document }) => document.id)).toEqual(["a"]);
      expect(outcome.refused.map(({ found }) => [found.document.id, found.document.status])).toEqual([
        ["b", "INFECTED"],
      ]);
      expect(outcome.changed.map(({ document }) => [document.id, document.status])).toEqual([
        ["c", "DELETED"],
      ]);
      expect(await readEntries(site.aws, "user-1", shape)).toEqual([
        { id: "c", status: "DELETED" },
        { id: "b", status: "INFECTED" },
      ]);
    }));

  it("appends to a list that the website left as null, or that is not there", () =>
    work(async (site) => {
      await putProfile(site.aws, "user-1", { documents: null });
      await addEntries(site, await readDocuments(site, "user-1"), [{ id: "a" }]);
      await putProfile(site.aws, "user-2");
      await addEntries(site, await readDocuments(site, "user-2"), [{ id: "b" }]);
      expect(await ids(site)).toEqual(["a"]);
      expect(await readEntries(site.aws, "user-2", shape)).toEqual([{ id: "b" }]);
    }));

  it("refuses an attribute that is no list, a user without a profile, and an id that is there twice", () =>
    work(async (site) => {
      await putProfile(site.aws, "user-1", { documents: "none" });
      const user = await readDocuments(site, "user-1");
      expect(user.strange).toEqual([{ place: "profile", index: undefined }]);
      await expect(addEntries(site, user, [{ id: "a" }])).rejects.toThrow("is no list");
      await expect(addEntries(site, await readDocuments(site, "user-2"), [{ id: "a" }])).rejects.toThrow(
        "no profile item",
      );
      expect(await getItem(site.aws, { table: profileTable, key: userKey("user-2", shape) })).toBeUndefined();
      await putProfile(site.aws, "user-3", { documents: [{ id: "a" }, { id: "a", name: "b" }] });
      const twice = await readDocuments(site, "user-3");
      expect(() => entryWithId(twice, "a")).toThrow("2 documents");
      expect(() => entryWithId(twice, "b")).toThrow("no document");
    }));

  it("takes an entry away again that a lost answer made the SDK add twice", () =>
    work(async (site) => {
      await putProfile(site.aws, "user-1", { documents: [{ id: "other" }] });
      const user = await readDocuments(site, "user-1");
      const client = await site.aws.dynamodb();
      let lost = false;
      const middleware = (next: (args: unknown) => Promise<unknown>) => async (args: unknown) => {
        const answer = await next(args);
        if (lost) return answer;
        lost = true;
        throw Object.assign(new Error("socket hang up"), { name: "TimeoutError", code: "ECONNRESET" });
      };
      client.middlewareStack.add(middleware as never, {
        step: "finalizeRequest",
        priority: "low",
        name: "lose",
      });
      const added = await addEntries(site, user, [{ id: "a", s3Key: "k" }]);
      expect(lost).toBe(true);
      expect(added.map(({ document }) => document.id)).toEqual(["a"]);
      expect(await ids(site)).toEqual(["other", "a"]);
    }));
});
