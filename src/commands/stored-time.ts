import { timeOf } from "../model/json.ts";
import { localTime } from "../output/dates.ts";

/** A stored time for people: local time, or the text as it stands where another tool wrote no time. */
export function storedTime(text: string | null | undefined): string {
  const time = timeOf(text);
  return time === undefined ? (text ?? "") : localTime(new Date(time));
}
