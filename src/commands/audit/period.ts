import { InvalidArgumentError } from "@commander-js/extra-typings";

/** A moment that may be told from now: `2026-03-01`, `2026-03-01T12:00`, `90d`. */
type Moment = (now: Date) => Date;

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** For `--since`: a day counts from its beginning, in local time as the lists show it. */
export function since(text: string): Moment {
  return moment(text, "T00:00:00.000");
}

/** For `--until`: a day counts to its end. */
export function until(text: string): Moment {
  return moment(text, "T23:59:59.999");
}

/** The period as subjects take it. */
export function periodOf(
  { since: from, until: to }: { since?: Moment; until?: Moment },
  now: Date,
): { since: Date | undefined; until: Date | undefined } {
  return { since: from?.(now), until: to?.(now) };
}

function moment(text: string, timeOfDay: string): Moment {
  const age = /^(\d{1,5})([mhdw])$/.exec(text);
  if (age !== null) {
    const ms = Number(age[1]) * unitMs[age[2] as keyof typeof unitMs];
    return (now) => new Date(now.getTime() - ms);
  }
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?$/.test(text);
  const date = new Date(isDay ? text + timeOfDay : text);
  if ((!isDay && !isTime) || Number.isNaN(date.getTime()) || !isInCalendar(text)) {
    throw new InvalidArgumentError("expected a day (2026-03-01), a time (2026-03-01T12:00) or an age (90d).");
  }
  return () => date;
}

/** Date makes 2 March of 30 February. */
function isInCalendar(text: string): boolean {
  const day = text.slice(0, 10);
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
