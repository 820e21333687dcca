import { Fault } from "../fault.ts";

/** A structure of a request. */
export type Input = Readonly<Record<string, unknown>>;

export interface Dimension {
  readonly Name: string;
  readonly Value: string;
}

export function invalid(message: string): Fault {
  return new Fault("InvalidParameterValueException", message);
}

export function missing(member: string): Fault {
  return new Fault("MissingRequiredParameterException", `The parameter ${member} is required.`);
}

/** A text of visible ASCII, as names and values of metrics are; undefined where there is none. */
export function optionalText(input: Input, member: string, most = 255): string | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw new Fault("SerializationException", `${member} is no text`);
  if (value.trim() === "" || value.length > most || !/^[\x20-\x7e]*$/.test(value))
    throw invalid(`The value for parameter ${member} is not 1 to ${most} characters of ASCII.`);
  return value;
}

export function text(input: Input, member: string, most?: number): string {
  const value = optionalText(input, member, most);
  if (value === undefined) throw missing(member);
  return value;
}

export function optionalNumber(input: Input, member: string): number | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value))
    throw invalid(`The value for parameter ${member} is no number.`);
  return value;
}

export function number(input: Input, member: string): number {
  const value = optionalNumber(input, member);
  if (value === undefined) throw missing(member);
  return value;
}

/** A list of structures; empty where there is none. */
export function structures(input: Input, member: string): Input[] {
  const value = input[member] ?? [];
  const isList = Array.isArray(value) && value.every((each) => typeof each === "object" && each !== null);
  if (!isList) throw new Fault("SerializationException", `${member} is no list of structures`);
  return value as Input[];
}

/** The dimensions of a metric, sorted by name: their order counts for nothing. */
export function dimensionsOf(input: Input): Dimension[] {
  const given = structures(input, "Dimensions");
  if (given.length > 30) throw invalid("A metric has at most 30 dimensions.");
  const dimensions = given.map((each) => ({ Name: text(each, "Name"), Value: text(each, "Value", 1024) }));
  return dimensions.toSorted((one, other) => (one.Name < other.Name ? -1 : 1));
}
