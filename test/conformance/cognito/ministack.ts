/** What MiniStack (as of November 2026) does otherwise than AWS. Reason to check names; see `known-differences.ts`. */
export const ministackCognito: Readonly<Record<string, readonly string[]>> = {};
