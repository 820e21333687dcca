import { describe, expect, it } from "vitest";
import { advanced, afterReturn, returns, type Timeline } from "../../../src/site/hero/timeline.ts";

const url = (name: string) => `https://b.example/${name}`;
const named = (names: string) => names.split("").map(url);
const told = (line: Timeline) => line.map((each) => each.slice(url("").length)).join("");
const live = (name: string | null) => (name === null ? null : url(name));

describe("the timeline of a role", () => {
  it.each([
    { name: "the first picture", line: "", from: null, to: "A", gives: "A" },
    { name: "a picture over the one that the tool set", line: "A", from: "A", to: "B", gives: "AB" },
    { name: "a picture over one that the website set", line: "A", from: "W", to: "B", gives: "AWB" },
    { name: "a picture over one from before the history", line: "", from: "W", to: "B", gives: "WB" },
    { name: "no picture any more", line: "AB", from: "B", to: null, gives: "AB" },
    { name: "no picture any more, of the website's", line: "A", from: "W", to: null, gives: "AW" },
    { name: "a picture after none", line: "AB", from: null, to: "C", gives: "ABC" },
    { name: "the same picture once more", line: "AB", from: "B", to: "B", gives: "AB" },
  ])("is $gives after $name", ({ line, from, to, gives }) => {
    expect(told(advanced(named(line), [live(from), live(to)]))).toBe(gives);
  });

  it.each([
    { name: "what was set before", line: "AB", from: "B", gives: ["A: A"] },
    { name: "what was live, where nothing is", line: "AB", from: null, gives: ["B: AB", "A: A"] },
    { name: "what the tool set, under the website's", line: "AB", from: "W", gives: ["B: AB", "A: A"] },
    { name: "nothing, where nothing was before", line: "A", from: "A", gives: [] },
  ])("goes back to $name", ({ line, from, gives }) => {
    const found = returns(named(line), live(from));
    expect(found.map((each) => `${told([each.url])}: ${told(each.timeline)}`)).toEqual(gives);
  });

  it("goes by what was live, not by when it was made: A, B, back, C, back is A", () => {
    const [back] = returns(advanced(named("A"), [url("A"), url("B")]), url("B"));
    expect(back?.url).toBe(url("A"));
    const line = advanced(back?.timeline ?? [], [url("A"), url("C")]);
    expect(returns(line, url("C")).map((each) => told([each.url]))).toEqual(["A"]);
  });

  it.each([
    { name: "one step back", line: "ABC", from: "C", to: "B", gives: "AB" },
    { name: "forward again", line: "A", from: "A", to: "C", gives: "AC" },
    { name: "two steps back: behind it is what was live", line: "ABC", from: "C", to: "A", gives: "ABCA" },
  ])("is $gives after a rollback by id, $name", ({ line, from, to, gives }) => {
    expect(told(afterReturn(named(line), { live: url(from), url: url(to) }))).toBe(gives);
  });

  it("keeps twenty, and no picture that stands in the item itself", () => {
    const line = Array.from({ length: 20 }, (_, n) => url(`n${n}`));
    const longer = advanced(line, ["data:image/png;base64,aGFsbG8=", url("new")]);
    expect(longer).toEqual([...line.slice(1), url("new")]);
  });
});
