const units = ["B", "KB", "MB", "GB", "TB"] as const;

/** Bytes for people, in powers of 1,000 with three digits at most: `0 B`, `999 B`, `1.5 KB`, `24.1 MB`. */
export function bytes(size: number): string {
  let value = size;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit] ?? ""}`;
}

/** Two sizes as people compare them: to the byte where they would look the same. */
export function twoSizes(one: number, other: number): readonly [string, string] {
  const [first, second] = [bytes(one), bytes(other)];
  return first === second ? [`${one} B`, `${other} B`] : [first, second];
}

/** `40 MB; at most 5 MB`: a size beyond a limit. */
export function beyond(size: number, most: number): string {
  const [has, limit] = twoSizes(size, most);
  return `${has}; at most ${limit}`;
}
