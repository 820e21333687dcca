import { invalid } from "./fault.ts";

/** A place in a list as a client gets it. It belongs to the question (`about`) it was given for. None after the last. */
export function tokenOf(place: string | undefined, about: string): string | undefined {
  return place === undefined ? undefined : Buffer.from(JSON.stringify([place, about])).toString("base64url");
}

/** @throws Fault for a token that this store never gave for this question. */
export function placeOf(token: string | undefined, about: string): string | undefined {
  if (token === undefined) return undefined;
  try {
    const [place, question] = JSON.parse(Buffer.from(token, "base64url").toString()) as unknown[];
    if (typeof place === "string" && question === about) return place;
  } catch {
    // Not one of ours; answered below as every other one.
  }
  throw invalid("Invalid pagination token.");
}
