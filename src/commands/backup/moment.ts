import { since } from "../audit/period.ts";

/** A moment as it was named, and whether it is the same one whenever the command runs. */
export interface NamedMoment {
  readonly of: (now: Date) => Date | "latest";
  readonly isNamed: boolean;
}

/** `latest`, `2h`, `2h ago`, `2026-03-01T12:00:00Z`, `2026-03-01` (its beginning, in local time). */
export function momentNamed(text: string): NamedMoment {
  if (text === "latest") return { of: () => "latest", isNamed: false };
  const at = since(text.replace(/ ago$/, ""));
  return {
    // Point-in-time recovery counts whole seconds.
    of: (now) => new Date(Math.floor(at(now).getTime() / 1000) * 1000),
    isNamed: !/^\d{1,5}[mhdw]( ago)?$/.test(text),
  };
}
