/** `1 picture`, `2 pictures`; `many` where an s does not do. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${grouped(number)} ${number === 1 ? one : many}`;
}

/** A whole number with its thousands grouped, `-` for none; without the 10 ms in which `toLocaleString` loads its data. */
export function grouped(number: number | undefined): string {
  return number === undefined ? "-" : inGroups(String(number));
}

/** With so many places behind the point, and its thousands grouped. */
export function groupedTo(places: number, number: number): string {
  return inGroups(number.toFixed(places));
}

function inGroups(digits: string): string {
  return digits.replaceAll(/\B(?<!\.\d*)(?=(?:\d{3})+(?:\.|$))/g, ",");
}
