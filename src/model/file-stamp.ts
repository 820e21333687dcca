/** A moment as it stands in names of files, to the second: `20261121T031500Z`. Pure. */
export function fileStamp(at: Date): string {
  return at.toISOString().replaceAll(/[-:]|\.\d+/g, "");
}
