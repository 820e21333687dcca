export function withoutList(
  config: { readonly overrides: readonly object[] },
  folders: readonly string[],
): string[];
