const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;

/**
 * A bar of at most `width` characters, to an eighth of a character. Anything above zero shows at least the thinnest
 * line, and only a full share fills the width. Shares outside 0-1 count as the nearer end.
 */
export function bar(share: number, width: number): string {
  const clamped = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  const parts = Math.max(clamped > 0 ? 1 : 0, Math.floor(clamped * width * 8));
  return "█".repeat(Math.floor(parts / 8)) + (eighths[parts % 8] ?? "");
}

/** A bar on a track, for one percentage: `█████▌░░░░`. */
export function percentBar(percent: number, width: number): string {
  const filled = bar(percent / 100, width);
  return filled + "░".repeat(Math.max(0, width - filled.length));
}
