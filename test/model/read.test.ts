import { describe, expect, it } from "vitest";
import { readModel, type FaultInFile } from "../../src/model/read.ts";

/** A small site with one of each: what the rows below break. */
const site = {
  name: "Small",
  region: "eu-central-1",
  userPool: true,
  buckets: { files: { name: "small-files", access: "private" } },
  tables: {
    notes: {
      name: "small-notes",
      key: ["userId", "noteId"],
      indexes: { "Tag-Index": { key: ["tag", "createdAt"] } },
      ttl: "ttl",
    },
  },
  subjects: { user: { what: "user", ids: ["userId"], accounts: "cognito" } },
  entities: {
    notes: {
      what: "notes",
      from: { table: "notes" },
      fields: {
        tag: "text",
        createdAt: "isoTime",
        isPinned: "boolean",
        expiresAt: "isoTime",
        ttl: { type: "epochSeconds", derive: { epochSecondsOf: "expiresAt" } },
        file: "text",
        parent: "text",
      },
      refs: { file: "object:noteFiles" },
      links: [{ subject: "user", role: "subject", by: "userId", find: "key", erase: "delete" }],
      expires: [{ id: "notes", what: "notes", after: 7, since: "expiresAt", do: "ttl", by: "ttl" }],
    },
    noteFiles: {
      what: "files of notes",
      from: { bucket: "files" },
      key: "users/{userId}/{path+}",
      links: [{ subject: "user", role: "subject", by: "userId", find: "prefix", erase: "delete" }],
    },
  },
};

// oxlint-disable-next-line typescript/no-explicit-any -- a row breaks the form of what it changes
type Broken = any;

type FaultRow = readonly [string, (site: Broken) => void, string, string, string];

const link = site.entities.notes.links[0];
const [expiry] = site.entities.notes.expires;

function faultsOf(change: (site: Broken) => void): readonly FaultInFile[] {
  const broken = structuredClone(site);
  change(broken);
  return faultsIn(JSON.stringify(broken, undefined, 2));
}

function faultsIn(text: string): readonly FaultInFile[] {
  const reading = readModel(text);
  return "faults" in reading ? reading.faults : [];
}

describe("a model", () => {
  it("is read with comments and a comma too many", () => {
    const text = JSON.stringify(site).replace("{", '{ // a "small" site\n /* { */').replace(/\}$/, ",}");
    expect(readModel(text)).toEqual({ model: site });
  });

  it.each<FaultRow>([
    [
      "an unknown key",
      (each) => (each.entities.notes.lnks = []),
      "entities.notes.lnks",
      "is no key that is known here",
      'did you mean "links"?',
    ],
    [
      "an unknown key deep within",
      (each) => (each.entities.notes.links[0].fnd = "key"),
      "entities.notes.links[0].fnd",
      "is no key that is known here",
      'did you mean "find"?',
    ],
    [
      "an archive tier",
      (each) =>
        (each.lifecycle = {
          tiering: { what: "media", do: "intelligent-tiering", after: 30, archiveAccessAfter: 90 },
        }),
      "lifecycle.tiering.archiveAccessAfter",
      "is no key that is known here",
      "a link to what lies in an archive tier or class fails",
    ],
    [
      "an archive class",
      (each) => (each.lifecycle = { old: { what: "media", do: "deep-archive", after: 90 } }),
      "lifecycle.old.do",
      'is none of "abort-upload", "purge-versions", "intelligent-tiering"',
      "a link to what lies in an archive tier or class fails",
    ],
    ["something missing", (each) => delete each.name, "name", "is missing", "docs/models.md"],
    ["another type", (each) => (each.buckets = []), "buckets", "is a list, not an object", "docs/models.md"],
    [
      "another value",
      (each) => (each.entities.notes.links[0].role = "owner"),
      "entities.notes.links[0].role",
      "is none of",
      '"author"',
    ],
    [
      "a name that is none",
      (each) => (each.tables["my table"] = site.tables.notes),
      "tables.my table",
      "is no name",
      "another name",
    ],
    [
      "units that scale from more to less",
      (each) => (each.tables.notes.capacity = { read: { min: 9, max: 5 }, write: { min: 5, max: 9 } }),
      "tables.notes.capacity.read",
      "has a min above its max",
      "docs/models.md",
    ],
    [
      "a circle",
      (each) => {
        each.entities.notes.refs.parent = "others.noteId";
        each.entities.others = {
          ...site.entities.notes,
          when: { tag: "x" },
          refs: { parent: "notes.noteId" },
          expires: [],
        };
      },
      "entities.notes.refs",
      "in a circle: notes -> others -> notes",
      "leave one of these references out",
    ],
    [
      "a reference to no entity",
      (each) => (each.entities.notes.refs.file = "object:noteFile"),
      "entities.notes.refs.file",
      'there is no entity "noteFile"',
      'did you mean "noteFiles"?',
    ],
    [
      "a count of no entity",
      (each) => (each.entities.notes.fields.count = { type: "number", counts: "noteFile" }),
      "entities.notes.fields.count.counts",
      'there is no entity "noteFile"',
      'did you mean "noteFiles"?',
    ],
    [
      "a count of what does not refer to it",
      (each) => (each.entities.notes.fields.count = { type: "number", counts: "noteFiles" }),
      "entities.notes.fields.count.counts",
      "the keys of noteFiles do not tell which of notes each refers to",
      'give noteFiles a reference to notes in "refs", by a field of its key',
    ],
    [
      "a count of what refers to it by more than its key",
      (each) => {
        each.entities.notes.fields.count = { type: "number", counts: "lines" };
        each.tables.lines = { name: "small-lines", key: "lineId" };
        each.entities.lines = {
          what: "lines",
          from: { table: "lines" },
          fields: { noteId: "text" },
          refs: { noteId: "notes.noteId" },
          personal: false,
          reason: "x",
        };
      },
      "entities.notes.fields.count.counts",
      "the keys of lines do not tell",
      "by a field of its key",
    ],
    [
      "a count by a template that is none",
      (each) => {
        each.entities.notes.key = { userId: "USER#{user Id}", noteId: "{noteId}" };
        each.entities.notes.fields.count = { type: "number", counts: "notes" };
        each.entities.notes.refs.parent = "notes.noteId";
      },
      "entities.notes.key.userId",
      "which is no name",
      "TEAM#{teamId}",
    ],
    [
      "a reference to no field",
      (each) => (each.entities.notes.refs.parent = "notes.nodeId"),
      "entities.notes.refs.parent",
      'there is no field of notes "nodeId"',
      'did you mean "noteId"?',
    ],
    [
      "a reference of no field",
      (each) => (each.entities.notes.refs = { files: "object:noteFiles" }),
      "entities.notes.refs.files",
      'there is no field "files"',
      'did you mean "file"?',
    ],
    [
      "a reference to objects as to items",
      (each) => (each.entities.notes.refs.file = "noteFiles.path"),
      "entities.notes.refs.file",
      "noteFiles are objects",
      'write "object:noteFiles"',
    ],
    [
      "an entity without link or reason",
      (each) => delete each.entities.notes.links,
      "entities.notes",
      "has no link: whose is it?",
      '"personal": false and a "reason"',
    ],
    [
      "an entity that is nobody's, without a reason",
      (each) => Object.assign(each.entities.notes, { links: undefined, personal: false }),
      "entities.notes",
      "says that it is nobody's, and no reason",
      '"reason"',
    ],
    [
      "an entity that is somebody's and nobody's",
      (each) => Object.assign(each.entities.notes, { personal: false, reason: "none" }),
      "entities.notes.personal",
      "contradicts its links",
      "leave one of the two out",
    ],
    [
      "a bucket without an entity",
      (each) => (each.buckets.more = { name: "small-more", access: "private" }),
      "buckets.more",
      "no entity is in it",
      "say what it holds",
    ],
    [
      "two templates that can build the same key",
      (each) => (each.entities.others = { ...site.entities.noteFiles, key: "users/{id}/{rest+}" }),
      "entities.others.key",
      '"users/{id}/{rest+}" and "users/{userId}/{path+}" can build the same key in files',
      "differ in a literal",
    ],
    [
      "two kinds of items that can be the same",
      (each) => {
        each.entities.notes.key = { userId: "USER#{userId}", noteId: "NOTE#{noteId}" };
        each.entities.others = {
          ...each.entities.notes,
          key: { userId: "USER#{id}", noteId: "{a}#{b}" },
          expires: [],
        };
        each.entities.others.key.noteId = "NOTE#{b}";
        each.entities.others.links = [{ ...link, by: "id" }];
      },
      "entities.others",
      "cannot be told apart from notes",
      'a "when" on the same attribute',
    ],
    [
      "a template with an open brace",
      (each) => (each.entities.noteFiles.key = "users/{userId"),
      "entities.noteFiles.key",
      "has a brace that is no field",
      "users/{userId}/{path+}",
    ],
    [
      "an index on a boolean",
      (each) => (each.tables.notes.indexes["Pinned-Index"] = { key: ["userId", "isPinned"] }),
      "tables.notes.indexes.Pinned-Index",
      '"isPinned" is of type boolean (entities.notes.fields), which cannot be a key',
      '"derive": "{isPinned}"',
    ],
    [
      "a TTL on an ISO time",
      (each) => (each.tables.notes.ttl = "expiresAt"),
      "tables.notes.ttl",
      '"expiresAt" is of type isoTime (entities.notes.fields); DynamoDB expires by epoch seconds only',
      '"derive": {"epochSecondsOf": "expiresAt"}',
    ],
    [
      "a TTL of which nobody knows what it is",
      (each) => (each.tables.notes.ttl = "endsAt"),
      "tables.notes.ttl",
      'no entity of the table says what "endsAt" is',
      '"fields": {"endsAt": "epochSeconds"}',
    ],
    [
      "a find whose index does not exist",
      (each) => (each.entities.notes.links[0].find = { index: "User-Index" }),
      "entities.notes.links[0].find.index",
      'there is no index of notes "User-Index"',
      "there are: Tag-Index",
    ],
    [
      "a find whose index begins with something else",
      (each) => (each.entities.notes.links[0].find = { index: "Tag-Index" }),
      "entities.notes.links[0].find",
      'the index Tag-Index begins with "tag", not with "userId"',
      'write "find": "scan"',
    ],
    [
      "a find by a key that is none",
      (each) => (each.entities.notes.links[0].by = "parent"),
      "entities.notes.links[0].find",
      'the key of the table begins with "userId", not with "parent"',
      'write "find": "scan"',
    ],
    [
      "a scan that is not written out",
      (each) => delete each.entities.notes.links[0].find,
      "entities.notes.links[0]",
      'does not say how it is found ("find")',
      'write "find": "scan"',
    ],
    [
      "objects found by a prefix that does not begin with whose they are",
      (each) => (each.entities.noteFiles.key = "files/{fileId}/{userId}/{path+}"),
      "entities.noteFiles.links[0].find",
      "cannot be found so by {userId}",
      'else "scan"',
    ],
    [
      "a link to nobody",
      (each) => (each.entities.notes.links[0].subject = "usr"),
      "entities.notes.links[0].subject",
      'there is no subject "usr"',
      'did you mean "user"?',
    ],
    [
      "a link by no field",
      (each) => (each.entities.notes.links[0].by = "usrId"),
      "entities.notes.links[0].by",
      'there is no field "usrId"',
      'did you mean "userId"?',
    ],
    [
      "a link by a parent that is nobody's",
      (each) => {
        each.entities.notes.links[0] = { ...link, by: { via: "parent" } };
        each.entities.notes.refs.parent = "others.noteId";
        each.entities.others = {
          what: "others",
          from: { table: "notes" },
          when: { tag: "x" },
          personal: false,
          reason: "none",
        };
      },
      "entities.notes.links[0].by.via",
      "leads to others, which has no link to user",
      "link others to its user",
    ],
    [
      "a link by several parents of which one is nobody's",
      (each) => {
        const by = { via: "parent" };
        each.entities.notes.links.push({ ...link, by });
        each.entities.others = {
          what: "others",
          from: { table: "notes" },
          when: { tag: "x" },
          links: [link],
        };
        each.entities.nobodies = {
          ...each.entities.others,
          when: { tag: "y" },
          personal: false,
          reason: "none",
        };
        delete each.entities.nobodies.links;
        each.entities.notes.refs.parent = ["others.noteId", "nobodies.noteId"];
      },
      "entities.notes.links[1].by.via",
      "leads to nobodies, which has no link to user",
      "link nobodies to its user",
    ],
    [
      "a link by nothing but things of the same kind",
      (each) => {
        each.entities.notes.links.push({ ...link, by: { via: "parent" } });
        each.entities.notes.refs.parent = "notes.noteId";
      },
      "entities.notes.links[1].by.via",
      "leads to notes itself alone",
      "name another parent",
    ],
    [
      "what is left to expire and does not",
      (each) =>
        Object.assign(each.entities.notes, { expires: [], links: [{ ...link, erase: { expires: true } }] }),
      "entities.notes.links[0].erase",
      "leaves it to expire, and nothing expires",
      'add "expires"',
    ],
    [
      "a soft delete of what is no document",
      (each) =>
        Object.assign(each.entities.notes, {
          expires: [{ ...expiry, do: "soft-delete", by: "run" }],
        }),
      "entities.notes.expires[0]",
      "marks as deleted what is no document",
      "features.documents",
    ],
    [
      "a rule for what nothing refers to where no foreign key says that",
      (each) => {
        each.entities.notes.expires = [{ ...expiry, do: "delete", by: "run", unreferred: true }];
      },
      "entities.notes.expires[0].unreferred",
      "is for rows of a database",
      "leave it out here",
    ],
    [
      "a rule for whole partitions where there are none",
      (each) => {
        each.entities.notes.expires = [{ ...expiry, do: "delete", by: "run", partitions: "whole" }];
      },
      "entities.notes.expires[0].partitions",
      "is for rows of a database",
      "leave it out here",
    ],
    [
      "a soft delete that nothing says how to write",
      (each) => {
        each.features = { documents: { entity: "notes", files: "noteFiles", fields: { key: "file" } } };
        each.entities.notes.expires = [{ ...expiry, do: "soft-delete", by: "run" }];
      },
      "entities.notes.expires[0]",
      "marks as deleted where nothing says how",
      "add status and deletedAt",
    ],
    [
      "rows that expire nobody knows since when",
      (each) => (each.entities.notes.expires = [{ ...expiry, since: undefined, do: "delete", by: "run" }]),
      "entities.notes.expires[0]",
      "does not say since when",
      '"since"',
    ],
    [
      "a TTL that the table has not",
      (each) => delete each.tables.notes.ttl,
      "entities.notes.expires[0]",
      "leaves it to a TTL that its table has not",
      'or "by": "run"',
    ],
    [
      "a TTL by the run",
      (each) => (each.entities.notes.expires[0] = { ...expiry, by: "run" }),
      "entities.notes.expires[0]",
      '"do": "ttl" by "run" cannot be',
      '"by": "ttl"',
    ],
    [
      "a rule that says no number",
      (each) => delete each.entities.notes.expires[0].after,
      "entities.notes.expires[0]",
      "says neither after how many days nor how many are kept",
      '"keepNewest"',
    ],
    ...(["since", "when", "keepNewest"] as const).map((name): FaultRow => [
      `objects that expire by ${name}`,
      (each) => {
        const values = { since: "path", when: { path: "old" }, keepNewest: 3 };
        const rule = { id: "files", what: "files", after: 7, do: "delete", by: "run" };
        each.entities.noteFiles.expires = [{ ...rule, [name]: values[name] }];
      },
      `entities.noteFiles.expires[0].${name}`,
      "is not for objects, which go by their age in S3 alone",
      'write "after"',
    ]),
    [
      "objects that expire nobody knows when",
      (each) => {
        each.entities.noteFiles.expires = [{ id: "files", what: "files", do: "delete", by: "run" }];
      },
      "entities.noteFiles.expires[0]",
      "does not say after how many days",
      'add "after"',
    ],
    [
      "two rules of one id",
      (each) => each.entities.notes.expires.push(expiry),
      "entities.notes.expires[1]",
      "has the id of entities.notes.expires[0]",
      "two ids",
    ],
    [
      "a lifecycle rule that is none",
      (each) => (each.buckets.files.lifecycle = ["old"]),
      "buckets.files.lifecycle[0]",
      'there is no lifecycle rule "old"',
      "there is none",
    ],
    [
      "two tables of one name",
      (each) => {
        each.tables.more = site.tables.notes;
        each.entities.more = { ...site.entities.notes, from: { table: "more" }, expires: [] };
      },
      "tables.more",
      "has the name of tables.notes",
      "two names",
    ],
    [
      "a table without a key",
      (each) => delete each.tables.notes.key,
      "tables.notes",
      "needs either a key or several shapes",
      '"key": "userId"',
    ],
    [
      "accounts in a pool that is not there",
      (each) => delete each.userPool,
      "subjects.user.accounts",
      "there is no user pool",
      '"userPool": true',
    ],
    [
      "a feature on an entity that is none",
      (each) => (each.features = { hero: { entity: "note" } }),
      "features.hero.entity",
      'there is no entity "note"',
      'did you mean "notes"?',
    ],
    [
      "a feature on a field that is none",
      (each) =>
        (each.features = { documents: { entity: "notes", files: "noteFiles", fields: { key: "fil" } } }),
      "features.documents.fields.key",
      'there is no field of notes "fil"',
      'did you mean "file"?',
    ],
    [
      "a name of secrets that is an expression",
      (each) => (each.secrets = { tables: [], names: ["(a+)+$"], items: [] }),
      "secrets.names[0]",
      'is no word or words such as "api-key"',
      "docs/models.md",
    ],
    [
      "ids with a star in the middle",
      (each) => (each.secrets = { tables: [], names: [], items: [{ ids: ["a*b"], attributes: ["x"] }] }),
      "secrets.items[0].ids[0]",
      "has a * that is not its last letter",
      "docs/models.md",
    ],
    [
      "a public folder that is a pattern of a policy",
      (each) => (each.buckets.files.access = { public: "*" }),
      "buckets.files.access.public",
      'is no folder such as "public/"',
      "docs/models.md",
    ],
    [
      "a text that forges a line of what is shown of it",
      (each) => (each.entities.notes.what = "notes\n  erased  deleted"),
      "entities.notes.what",
      "holds a character that cannot be seen",
      "line breaks",
    ],
    [
      "what is kept for days that nothing ends",
      (each) => (each.entities.notes.links[0].erase = { keep: { basis: "law", days: 10 } }),
      "entities.notes.links[0].erase.keep.days",
      "says 10 days, and nothing ends then",
      '"after": 10',
    ],
    [
      "what is kept and refers to what is deleted",
      (each) => {
        each.entities.noteFiles.links[0].erase = { keep: { basis: "law" } };
        each.entities.noteFiles.refs = { path: "notes.noteId" };
        each.entities.notes.refs = {};
      },
      "entities.noteFiles.links[0].erase.keep",
      "keeps what refers to notes, which is deleted",
      '"pseudonym"',
    ],
    ...(["null", "pseudonym", { set: "x" }, { expires: true }, { keep: { basis: "law" } }] as const).map(
      (erase): FaultRow => [
        `objects that an erasure would have to leave: ${JSON.stringify(erase)}`,
        (each) => (each.entities.noteFiles.links[0].erase = erase),
        "entities.noteFiles.links[0].erase",
        "is not for objects",
        'write "delete"',
      ],
    ),
    ...(["author", "member", "mention"] as const).map((role): FaultRow => [
      `objects that are deleted with their ${role}`,
      (each) => (each.entities.noteFiles.links[0].role = role),
      "entities.noteFiles.links[0].role",
      `deletes objects with whoever is only their ${role}`,
      '"subject"',
    ]),
    [
      "one setting of two numbers",
      (each) => {
        each.lifecycle = {
          parts: { what: "parts", do: "abort-upload", after: 7, setting: "old" },
          versions: { what: "versions", do: "purge-versions", after: 365, setting: "old" },
        };
      },
      "lifecycle.versions.setting",
      '"old" is the setting of lifecycle.parts.setting',
      "two settings",
    ],
    [
      "versions that go on the day on which they come",
      (each) => (each.lifecycle = { versions: { what: "versions", do: "purge-versions", after: 0 } }),
      "lifecycle.versions.after",
      "is 0 days",
      "1 or more",
    ],
    [
      "a derived field of no field",
      (each) => (each.entities.notes.fields.pinnedKey = { type: "text", derive: "{isPined}" }),
      "entities.notes.fields.pinnedKey.derive",
      'there is no field "isPined"',
      'did you mean "isPinned"?',
    ],
  ])("is refused: %s", (_name, change, path, what, remedy) => {
    const faults = faultsOf(change);
    expect(faults.map((each) => ({ ...each, line: typeof each.line }))).toContainEqual({
      path,
      what: expect.stringContaining(what) as string,
      remedy: expect.stringContaining(remedy) as string,
      line: "number",
    });
  });

  it("tells all that is wrong, each in its line", () => {
    const broken: Broken = structuredClone(site);
    broken.buckets.files.nam = "x";
    broken.tables.notes.kee = "x";
    const text = JSON.stringify(broken, undefined, 2);
    const lineOf = (word: string) => text.slice(0, text.indexOf(word)).split("\n").length;
    expect(faultsIn(text).map(({ path, line }) => ({ path, line }))).toEqual([
      { path: "buckets.files.nam", line: lineOf('"nam"') },
      { path: "tables.notes.kee", line: lineOf('"kee"') },
    ]);
  });
});

describe("a file that is no model", () => {
  const many = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, at) => [
        `e${at}`,
        { what: "x", from: { bucket: "files" }, key: `{a}-${at}-{b}/{c}`, personal: false, reason: "none" },
      ]),
    );
  const withEntities = (entities: object) =>
    JSON.stringify({ ...site, entities: { ...site.entities, ...entities } });

  it.each([
    ["nothing at all", "", "is no JSON"],
    ["half a file", '{\n "name": "x",\n', "is no JSON"],
    ["10 MB", `{"name": "${"x".repeat(10_000_000)}"}`, "characters; at most 1,000,000"],
    ["nested 100,000 deep", "[".repeat(100_000), "is nested deeper than 24 levels"],
    ["objects nested 100,000 deep", '{"a":'.repeat(100_000), "is nested deeper than 24 levels"],
    ["a key twice", '{"name": "x", "name": "y"}', "stands there twice"],
    ["__proto__", '{"name": "x", "__proto__": {"isAdmin": true}}', "is a name that is not taken"],
    ["__proto__ in escapes", String.raw`{"\u005f_proto__": {}}`, "is a name that is not taken"],
    ["constructor as an entity", withEntities({ constructor: 1 }), "is a number, not an object"],
    [
      "10,000 entities",
      withEntities(Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`e${at}`, {}]))),
      "has more than 1000 entities",
    ],
    ["1,000 templates that match everything", withEntities(many(990)), "can build the same key"],
    [
      "a template that matches everything twice",
      withEntities({
        all: { ...site.entities.noteFiles, key: "{userId+}" },
        more: { ...site.entities.noteFiles, key: "{path+}" },
      }),
      "can build the same key",
    ],
    [
      "999 kinds of items that are all the same",
      withEntities(
        Object.fromEntries(
          Array.from({ length: 990 }, (_, at) => [`e${at}`, { ...site.entities.notes, expires: [] }]),
        ),
      ),
      "cannot be told apart",
    ],
    [
      "names that are nearly others, for which the nearest is looked for",
      withEntities({
        many: {
          ...site.entities.notes,
          fields: Object.fromEntries(
            Array.from({ length: 2000 }, (_, at) => [
              `${"abcdefghij".repeat(19)}${at}`,
              { type: "text", derive: `{${"abcdefghik".repeat(19)}${at}}` },
            ]),
          ),
        },
      }),
      "there is no field",
    ],
    [
      "thousands of references to what has thousands of fields",
      withEntities({
        many: {
          ...site.entities.notes,
          fields: Object.fromEntries(Array.from({ length: 6000 }, (_, at) => [`f${at}`, { type: "text" }])),
          refs: Object.fromEntries(Array.from({ length: 6000 }, (_, at) => [`x${at}`, `many.f${at}`])),
          expires: [],
        },
      }),
      "there is no field",
    ],
    [
      "thousands of keys that are compared with each other",
      withEntities(
        Object.fromEntries(
          Array.from({ length: 150 }, (_, at) => [
            `e${at}`,
            {
              ...site.entities.notes,
              expires: [],
              key: { noteId: Array.from({ length: 50 }, (_, way) => `${at}-${way}-{noteId}`) },
            },
          ]),
        ),
      ),
      "templates of keys",
    ],
  ])("ends with an error: %s", (_name, text, what) => {
    const faults = faultsIn(text);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.length).toBeLessThanOrEqual(101);
    expect(faults.map((fault) => fault.what).join("\n")).toContain(what);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });
});
