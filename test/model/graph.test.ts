import { describe, expect, it } from "vitest";
import { erasureOrder, mermaid } from "../../src/model/graph.ts";
import type { Entity, Model } from "../../src/model/schema.ts";

const entity = (from: Entity["from"], rest: Partial<Entity> = {}): Entity => ({
  what: "things",
  from,
  personal: false,
  reason: "a test",
  ...rest,
});

const entities: Model["entities"] = {
  users: entity({ database: "main", table: "users" }),
  sessions: entity({ database: "main", table: "sessions" }, { refs: { user_id: "users.id" } }),
  messages: entity(
    { database: "main", table: "messages" },
    { refs: { session_id: "sessions.id", parent: "messages.id" } },
  ),
  profiles: entity({ table: "profiles" }),
  documents: entity({ table: "profiles" }, { at: "documents[]", refs: { s3Key: "object:files" } }),
  files: entity({ bucket: "files" }, { key: "{userId}/{path+}" }),
};

describe("the order of erasure", () => {
  it("is children before parents, files before their entries, parts before the item", () => {
    const result = erasureOrder({ entities });
    const order = "order" in result ? result.order : [];
    expect([...order].sort()).toEqual(Object.keys(entities).sort());
    const place = (name: string) => order.indexOf(name);
    expect(place("messages")).toBeLessThan(place("sessions"));
    expect(place("sessions")).toBeLessThan(place("users"));
    expect(place("files")).toBeLessThan(place("documents"));
    expect(place("documents")).toBeLessThan(place("profiles"));
  });

  it("is none for a circle, which is answered, also a long one", () => {
    const chain = Object.fromEntries(
      Array.from({ length: 900 }, (_, at) => [
        `e${at}`,
        entity({ database: "main", table: `e${at}` }, { refs: { next: `e${(at + 1) % 900}.id` } }),
      ]),
    );
    const result = erasureOrder({ entities: chain });
    expect("circle" in result ? result.circle.length : 0).toBe(901);
  });
});

describe("the picture of a model", () => {
  it("names every entity, reference and subject, and takes no text for its own language", () => {
    const drawn = mermaid({
      entities: { ...entities, odd: entity({ bucket: 'a"]; click' }, { what: '<b>"x"</b>' }) },
      subjects: { user: { what: "user", ids: ["id"] } },
    });
    expect(drawn).toContain('messages -->|"session_id"| sessions');
    expect(drawn).toContain('subject_user(("user"))');
    expect(drawn).not.toMatch(/<b>|a"]/);
  });
});
