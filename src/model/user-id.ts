/** Holds the site owner's own items and images; no account may have it. */
export const ownerId = "owner";

/** What to give for somebody, where accounts are in a user pool, and where they are items or rows that the model names. */
export const peopleHints = {
  pool: "give a sub, a user name or an e-mail address; `mawps user list` shows them",
  model: "give an id or an e-mail address; `mawps user list` shows them",
} as const;

/** An id as it is told and kept on record; undefined for an address in its place, which names somebody. */
export function toldId(userId: string): string | undefined {
  return userId.includes("@") ? undefined : userId;
}

/**
 * Why a text cannot be a user's id in keys and items, or undefined when it can. Allowed is what Cognito allows in a
 * user name (1-128 letters, marks, symbols, numbers and punctuation: no spaces, no control characters), without what
 * would leave the user's own folder.
 */
export function userIdFault(userId: string): string | undefined {
  if (userId === "") return "is empty";
  if (userId.toLowerCase() === ownerId) return "is reserved for the owner of the site";
  if (/[/\\]/.test(userId)) return "holds a slash";
  if (userId === "." || userId.includes("..")) return "holds dots that stand for a folder";
  if (!/^[\p{L}\p{M}\p{S}\p{N}\p{P}]{1,128}$/u.test(userId)) {
    return userId.length > 128 ? "has more than 128 characters" : "holds a space or a control character";
  }
  return undefined;
}
