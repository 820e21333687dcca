import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Ambiguous,
  build,
  canBeEqual,
  classifier,
  fieldsOf,
  parseTemplate,
  rankOf,
  type Fields,
  type Template,
} from "../../src/model/template.ts";

const object = (text: string) => parseTemplate(text, "object");
const attribute = (text: string) => parseTemplate(text, "attribute");
const classify = (...texts: string[]) =>
  classifier(texts.map((text) => ({ template: object(text), value: text })));

function builtOrRefused(template: Template, values: Fields): string | undefined {
  try {
    return build(template, values);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

describe("a template", () => {
  it.each([
    ["users/{userId}/uploads/{fileId}.tmp", "users/u-1/uploads/f.tmp", { userId: "u-1", fileId: "f" }],
    ["users/{userId}/{path+}", "users/u-1/a/b.png", { userId: "u-1", path: "a/b.png" }],
    ["{timestampMs}-{name}", "17-a-b.pdf", { timestampMs: "17", name: "a-b.pdf" }],
    ["audit/", "audit/", {}],
    ["users/{userId}/x", "users//x", undefined],
    ["users/{userId}/{path+}", "users/u-1/", undefined],
    ["users/{userId}/x", "users/u-1/x/y", undefined],
    ["users/{userId}/x", "users/u-1", undefined],
    ["{a}.tmp", ".tmp", undefined],
    ["{a}-{b}", "x-", undefined],
    ["{a}-{b}", "-x", undefined],
    ["{a}-{b}", "--x", { a: "-", b: "x" }],
  ])("of an object: %s reads %s", (template, text, fields) => {
    expect(fieldsOf(object(template), text)).toEqual(fields);
  });

  it.each([
    ["TEAM#{teamId}", "TEAM#a/b", { teamId: "a/b" }],
    ["TIMESTAMP#{at}#{id}", "TIMESTAMP#2026-01-01T00:00:00Z#x", { at: "2026-01-01T00:00:00Z", id: "x" }],
    ["METADATA", "METADATA", {}],
    ["METADATA", "METADATA2", undefined],
    ["EVENT#team#{teamId}", "EVENT#team#", undefined],
  ])("of an attribute: %s reads %s", (template, text, fields) => {
    expect(fieldsOf(attribute(template), text)).toEqual(fields);
  });

  it.each([
    ["", "is empty"],
    ["a{b", "has a brace that is no field"],
    ["a{}", "which is no name"],
    ["{a b}", "which is no name"],
    ["{__proto__}x{a}{b}", "nothing between them"],
    ["{a}/{a}", "has the field {a} twice"],
    ["{path+}/x", "not alone in the last segment"],
    ["x{path+}", "not alone in the last segment"],
    [Array.from({ length: 17 }, (_, at) => `{f${at}}`).join("/"), "more than 16 fields"],
    ["x".repeat(1025), "more than 1024 characters"],
  ])("is refused: %s", (text, why) => {
    expect(() => object(text)).toThrow(why);
  });

  it("refuses values that would be read back as others", () => {
    const template = object("{a}-{b}");
    expect(build(template, { a: "x", b: "y-z" })).toBe("x-y-z");
    expect(() => build(template, { a: "x-y", b: "z" })).toThrow("would be read as another (a)");
    expect(() => build(template, { a: "x" })).toThrow("no value for {b}");
    expect(() => build(template, { a: "x", b: "a/b" })).toThrow(RangeError);
  });

  const name = fc.stringMatching(/^[a-z]{1,6}$/);
  const literal = fc.stringMatching(/^[A-Z#._-]{1,4}$/);
  const segment = fc.array(fc.tuple(name, literal), { minLength: 0, maxLength: 3 }).chain((pairs) =>
    fc.tuple(literal, fc.constant(pairs)).map(([first, rest]) => ({
      text: first + rest.map(([field, after]) => `{${field}}${after}`).join(""),
      names: rest.map(([field]) => field),
    })),
  );
  const templates = fc
    .array(segment, { minLength: 1, maxLength: 4 })
    .filter((segments) => {
      const names = segments.flatMap((each) => each.names);
      return new Set(names).size === names.length;
    })
    .map((segments) => segments.map(({ text }) => text).join("/"));

  it("reads back what it built, or refuses to build it", () => {
    fc.assert(
      fc.property(
        templates,
        fc.constantFrom("object" as const, "attribute" as const),
        fc.infiniteStream(fc.string()),
        (text, kind, stream) => {
          const template = parseTemplate(text, kind);
          const values = Object.fromEntries(
            template.fields.map((field) => [field, stream.next().value ?? ""]),
          );
          const made = builtOrRefused(template, values);
          expect(made === undefined ? values : fieldsOf(template, made)).toEqual(values);
        },
      ),
    );
  });

  it("builds whatever it has read", () => {
    fc.assert(
      fc.property(templates, fc.stringMatching(/^[a-z0-9]{1,9}$/), (text, value) => {
        const template = object(text);
        const made = text.replaceAll(/\{\w+\}/g, value);
        expect(build(template, fieldsOf(template, made) ?? {})).toBe(made);
      }),
    );
  });
});

describe("the templates of a bucket", () => {
  const found = classify(
    "users/{userId}/profile/avatar.png",
    "users/{userId}/{path+}",
    "users/teams/{teamId}/shared/{fileName}",
    "users/{userId}/uploads/temp/{fileId}.tmp",
    "templates/{id}/template.json",
    "templates/{id}/checklist-{date}.pdf",
    "templates/{id}/{name}",
  );

  it.each([
    ["users/u-1/profile/avatar.png", "users/{userId}/profile/avatar.png"],
    ["users/u-1/profile/other.png", "users/{userId}/{path+}"],
    ["users/u-1/uploads/temp/f.tmp", "users/{userId}/uploads/temp/{fileId}.tmp"],
    ["users/u-1/uploads/temp/f.png", "users/{userId}/{path+}"],
    ["users/teams/t-1/shared/a.png", "users/teams/{teamId}/shared/{fileName}"],
    ["users/teams/profile/avatar.png", undefined],
    ["templates/7/template.json", "templates/{id}/template.json"],
    ["templates/7/checklist-2026.pdf", "templates/{id}/checklist-{date}.pdf"],
    ["templates/7/checklist.pdf", "templates/{id}/{name}"],
    ["templates/7", undefined],
    ["elsewhere/7", undefined],
    ["", undefined],
  ])("%s is of %s", (key, template) => {
    expect(found.find(key)?.value).toBe(template);
    expect(found.valueOf(key)).toBe(template);
  });

  it.each([
    ["a/{x}", "a/{y}"],
    ["{x+}", "{y+}"],
    ["a/{x}.tmp", "a/old-{y}"],
    ["a/{x}.tmp/b", "a/{y}p/c"],
    ["a/b", "a/b"],
  ])("%s and %s can build the same key", (one, other) => {
    expect(() => classify(one, other)).toThrow(Ambiguous);
  });

  it.each([
    ["a/{x}", "a/b"],
    ["a/{x}.tmp", "a/{y}.pdf"],
    ["a/{x}.tmp", "a/{y}"],
    ["a/{x}", "a/{y}/"],
    ["a/{x+}", "a/{y}"],
  ])("%s and %s can be told apart", (one, other) => {
    expect(() => classify(one, other)).not.toThrow();
  });
});

describe("values of attributes", () => {
  it.each([
    ["TEAM#{a}", "TEAM#{b}", true],
    ["TEAM#{a}", "USER#{b}", false],
    ["TEAM#{a}", "{b}", true],
    ["METADATA", "MEMBER#{a}", false],
    ["global", "{a}", true],
    ["A#{x}#B", "A#{y}", true],
  ])("%s and %s can be equal: %s", (one, other, can) => {
    expect(canBeEqual(attribute(one), attribute(other))).toBe(can);
    expect(canBeEqual(attribute(other), attribute(one))).toBe(can);
  });

  it("says more the more literal it is", () => {
    const ranks = ["users/teams", "users/{a}-x", "users/{a}", "users/{a+}"].map((text) =>
      rankOf(object(text)),
    );
    expect(ranks).toEqual([...ranks].sort());
    expect(new Set(ranks).size).toBe(4);
  });
});
