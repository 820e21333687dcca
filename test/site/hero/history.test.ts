import { describe, expect, it } from "vitest";
import { chooseRollback, type StoredPicture } from "../../../src/site/hero/history.ts";
import type { HeroRole } from "../../../src/model/keys.ts";

function picture(id: string, role: StoredPicture["role"], current: HeroRole | null = null): StoredPicture {
  return {
    id,
    role,
    current,
    key: `k/${id}`,
    url: `u/${id}`,
    bytes: 1,
    createdAt: "2026-01-01T00:00:00.000Z",
    variants: [],
  };
}

describe("chooseRollback", () => {
  const history = [
    picture("5", "default"),
    picture("4", "hover", "hover"),
    picture("3", "default", "default"),
    picture("2", "hover"),
    picture("1", "unknown"),
  ];

  it.each([
    { name: "the next older picture of the role", from: history, id: undefined, role: "default", gives: "1" },
    {
      name: "an older hover image, past the others",
      from: history,
      id: undefined,
      role: "hover",
      gives: "2",
    },
    { name: "the picture with the id, newer ones too", from: history, id: "5", role: "default", gives: "5" },
    {
      name: "the newest when none is live",
      from: history.map((each) => ({ ...each, current: null })),
      id: undefined,
      role: "default",
      gives: "5",
    },
  ] as const)("chooses $name", ({ from, id, role, gives }) => {
    expect(chooseRollback(from, { id, role }).id).toBe(gives);
  });

  it.each([
    { name: "an id that is not there", from: history, id: "9", role: "default", says: '"9"' },
    {
      name: "nothing older",
      from: [picture("3", "default", "default")],
      id: undefined,
      role: "default",
      says: "no older hero image",
    },
    {
      name: "no hover image at all",
      from: [picture("1", "unknown")],
      id: undefined,
      role: "hover",
      says: "no hover image",
    },
  ] as const)("refuses $name", ({ from, id, role, says }) => {
    expect(() => chooseRollback(from, { id, role })).toThrow(says);
  });
});
