/** What there is to say where `up` finds nothing that is pending: all is applied, or all up to where it was to go. */
export function nothingToDo(to: string | undefined): string {
  return `nothing to do: the migrations ${to === undefined ? "" : `up to ${to} `}are applied`;
}

/** What there is to say where `down` finds nothing: nothing is applied, or nothing behind where it was to go. */
export function nothingToTakeBack(to: string | undefined): string {
  const behind = to === undefined || to === "none" ? "" : `behind ${to} `;
  return `nothing to take back: no migration ${behind}is applied`;
}
