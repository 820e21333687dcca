import type { Language, Telling, ValuesOf } from "../model/sentences.ts";
import type { CheckName } from "./sentences/checks.ts";
import { publicPlaces } from "./sentences/public.ts";
import { safeguards } from "./sentences/safeguards.ts";
import { storedThings } from "./sentences/stored.ts";
import { surroundings } from "./sentences/surroundings.ts";

/** One thing that was looked at: plain data, for a table and for JSON. */
export interface Finding {
  readonly check: string;
  readonly subject: string;
  /** `warning`: works, but look at it. `problem`: something is wrong. `skipped`: could not be looked at. */
  readonly status: "ok" | "warning" | "problem" | "skipped";
  readonly message: string;
  /** What to do, in one line, with the very command where there is one. */
  readonly remedy?: string;
}

/** What is said of what is not as it should be. A code stays once it was published: scripts look for it. */
const sentences = { ...surroundings, ...publicPlaces, ...storedThings, ...safeguards };

type Code = keyof typeof sentences;

/** What is not as it should be: a code that stays, the values of its sentence, and what that says in English. */
interface Told extends Pick<Finding, "message" | "remedy"> {
  readonly status: Exclude<Finding["status"], "ok">;
  readonly code: Code;
  readonly values: unknown;
}

/** What a plan of `mawps setup` says of a resource, in its words. */
interface Planned extends Pick<Finding, "message" | "remedy"> {
  readonly status: Told["status"];
  readonly code: "setup";
}

interface Good extends Pick<Finding, "message"> {
  readonly status: "ok";
  readonly remedy?: undefined;
}

/** What a finding is of. */
export interface About extends Pick<Finding, "subject"> {
  readonly check: CheckName;
}

/** What doctor found: what is not as it should be has a sentence in every language. */
export type DoctorFinding = About & (Judgement | Planned);
export type Judgement = Told | Good;

/** The part of a finding that its sentence makes. Pure. */
export function told<C extends Code>(
  status: Told["status"],
  code: C,
  ...[values]: undefined extends ValuesOf<(typeof sentences)[C]> ? [] : [ValuesOf<(typeof sentences)[C]>]
): Told {
  return { status, code, values: values ?? {}, ...saidOf(code, values, "en") };
}

/** Message and remedy of a finding that is not ok. Pure. */
export function findingIn(
  language: Language,
  { code, values }: Pick<Told, "code" | "values">,
): Pick<Finding, "message" | "remedy"> {
  return saidOf(code, values, language);
}

function saidOf(code: Code, values: unknown, language: Language): Pick<Finding, "message" | "remedy"> {
  // `told` has let only the values of this very sentence in.
  const [message, remedy] = (sentences[code][language] as (values: unknown) => Telling)(values);
  return remedy === undefined ? { message } : { message, remedy };
}
