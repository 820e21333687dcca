import { expect, test } from "vitest";
import { CliError } from "../../src/errors.ts";
import { told } from "../../src/doctor/finding.ts";
import { reportPage } from "../../src/report/page.ts";
import { readReport, type Parts, type Sources } from "../../src/report/report.ts";

const denied = Object.assign(new Error("not authorized to perform: s3:ListBucket"), {
  name: "AccessDenied",
  $metadata: { httpStatusCode: 403 },
});
const hero: Parts["hero"] = { profileImageDefault: "url", profileImageHover: null, updatedAt: null };
const people = { users: [{ userId: "ada" }], moreUsers: 0 } as unknown as Parts["people"];
const explain = (error: unknown) => new CliError((error as Error).message, { hint: "ask" });
const record = async () => undefined;
const fails = async (): Promise<never> => Promise.reject(denied);

test("what may not be read is missing with its reason, and what the site has not is absent", async () => {
  const sources: Sources = { hero: async () => hero, audit: fails, storage: fails };
  expect(await readReport(sources, { record, explain })).toEqual({
    parts: { hero },
    failures: [
      { part: "storage", why: denied.message, hint: "ask" },
      { part: "audit", why: denied.message, hint: "ask" },
    ],
    absent: ["people", "documents", "retention", "backups", "jobs", "doctor"],
  });
});

test.each([
  ["a server that fails at it", { $metadata: { httpStatusCode: 500 } }],
  [
    "an answer that cannot be read",
    { message: "no number\n  Deserialization error: to see the raw response" },
  ],
])("%s concerns one part", async (_name, fields) => {
  const failing = async (): Promise<never> => Promise.reject(Object.assign(new Error("broken"), fields));
  const read = await readReport({ hero: async () => hero, jobs: failing }, { record, explain });
  expect([read.parts, read.failures.map(({ part }) => part)]).toEqual([{ hero }, ["jobs"]]);
});

test("users are named when the trail was told, after all is read, and else not", async () => {
  const done: string[] = [];
  const sources: Sources = {
    people: async () => people,
    hero: async () => {
      await new Promise(setImmediate);
      done.push("hero");
      return hero;
    },
  };
  const told = await readReport(sources, { explain, record: async () => void done.push("record") });
  expect([told.parts, done]).toEqual([{ hero, people }, ["hero", "record"]]);
  const untold = await readReport(sources, { explain, record: fails });
  expect([untold.parts, untold.failures]).toEqual([
    { hero },
    [{ part: "people", why: denied.message, hint: "ask" }],
  ]);
});

test("what no permission explains is thrown, when every part has come to its end", async () => {
  const done: string[] = [];
  const sources: Sources = {
    hero: async () => Promise.reject(new TypeError("a bug")),
    people: async () => {
      await new Promise(setImmediate);
      done.push("people");
      return people;
    },
  };
  await expect(readReport(sources, { record, explain })).rejects.toThrow("a bug");
  expect(done).toEqual(["people"]);
});

test.each(["en", "de"] as const)("the page shortens no finding (%s)", (language) => {
  const names = Array.from({ length: 60 }, (_, at) => `table_${at}.index`).join(", ");
  const doctor: Parts["doctor"] = [
    { check: "database", subject: "db", ...told("warning", "failed", { why: names, hint: names }) },
  ];
  const options = { title: "a site", madeAt: new Date(0), language };
  const page = [...reportPage({ parts: { doctor }, failures: [], absent: [] }, options)].join("");
  expect(page.split(names)).toHaveLength(3);
});
