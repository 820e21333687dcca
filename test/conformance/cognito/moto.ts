/** What moto (5.2, as of November 2026) does otherwise than AWS. Reason to check names; see `known-differences.ts`. */
export const motoCognito: Readonly<Record<string, readonly string[]>> = {};
