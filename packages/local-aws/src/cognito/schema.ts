import { invalid } from "./fault.ts";
import { type Input, optionalBoolean, optionalStructure, optionalText, structures, text } from "./input.ts";
import type { Pool, SchemaAttribute } from "./records.ts";

const texts = [
  "name",
  "given_name",
  "family_name",
  "middle_name",
  "nickname",
  "preferred_username",
  "profile",
  "picture",
  "website",
  "email",
  "gender",
  "zoneinfo",
  "locale",
  "phone_number",
  "address",
];

const common = { DeveloperOnlyAttribute: false, Mutable: true, Required: false };
const anyText = { MinLength: "0", MaxLength: "2048" };

/** What every pool has, by OpenID Connect. */
const standard: readonly SchemaAttribute[] = [
  {
    ...common,
    Name: "sub",
    AttributeDataType: "String",
    Mutable: false,
    Required: true,
    StringAttributeConstraints: { MinLength: "1", MaxLength: "2048" },
  },
  ...texts.map((Name): SchemaAttribute => ({
    ...common,
    Name,
    AttributeDataType: "String",
    StringAttributeConstraints: anyText,
  })),
  { ...common, Name: "email_verified", AttributeDataType: "Boolean" },
  { ...common, Name: "phone_number_verified", AttributeDataType: "Boolean" },
  {
    ...common,
    Name: "birthdate",
    AttributeDataType: "String",
    StringAttributeConstraints: { MinLength: "10", MaxLength: "10" },
  },
  {
    ...common,
    Name: "updated_at",
    AttributeDataType: "Number",
    NumberAttributeConstraints: { MinValue: "0" },
  },
  { ...common, Name: "identities", AttributeDataType: "String", StringAttributeConstraints: {} },
];

const dataTypes = ["String", "Number", "DateTime", "Boolean"];
const maxCustom = 50;

/** The schema of a new pool: the standard attributes, as changed by `Schema`, and the custom ones in it. */
export function schemaOf(input: Input): SchemaAttribute[] {
  const byName = new Map(standard.map((attribute) => [attribute.Name, attribute]));
  for (const given of structures(input, "Schema")) {
    const name = text(given, "Name", { least: 1, most: 20 });
    const known = byName.get(name);
    const attribute =
      known === undefined ? customAttribute(given, name) : { ...known, ...switches(given, known) };
    byName.set(attribute.Name, attribute);
  }
  if (byName.size - standard.length > maxCustom)
    throw invalid(`No more than ${maxCustom} custom attributes are allowed.`);
  return [...byName.values()];
}

function switches(given: Input, known: SchemaAttribute): Pick<SchemaAttribute, "Mutable" | "Required"> {
  return {
    Mutable: optionalBoolean(given, "Mutable") ?? known.Mutable,
    Required: optionalBoolean(given, "Required") ?? known.Required,
  };
}

function customAttribute(given: Input, name: string): SchemaAttribute {
  if (optionalBoolean(given, "Required") === true)
    throw invalid("Required custom attributes are not supported currently.");
  const isDevelopers = optionalBoolean(given, "DeveloperOnlyAttribute") ?? false;
  const lengths = optionalStructure(given, "StringAttributeConstraints");
  const bounds = optionalStructure(given, "NumberAttributeConstraints");
  const type = optionalText(given, "AttributeDataType", { oneOf: dataTypes }) ?? "String";
  return {
    Name: `${isDevelopers ? "dev:" : ""}custom:${name}`,
    AttributeDataType: type as SchemaAttribute["AttributeDataType"],
    DeveloperOnlyAttribute: isDevelopers,
    Mutable: optionalBoolean(given, "Mutable") ?? true,
    Required: false,
    ...(type === "String" ? { StringAttributeConstraints: lengths ?? {} } : {}),
    ...(type === "Number" ? { NumberAttributeConstraints: bounds ?? {} } : {}),
  };
}

export function attributeOf(pool: Pool, name: string): SchemaAttribute | undefined {
  return pool.schema.find((attribute) => attribute.Name === name);
}

const attributeRule = { least: 1, most: 32 };

/** The attributes of a request by name. @throws Fault for one that the pool does not have or whose value does not fit. */
export function attributesIn(pool: Pool, input: Input): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const given of structures(input, "UserAttributes")) {
    const name = text(given, "Name", attributeRule);
    const value = optionalText(given, "Value", { most: 2048, isSensitive: true }) ?? "";
    checkValue(pool, name, value);
    attributes[name] = value;
  }
  return attributes;
}

function checkValue(pool: Pool, name: string, value: string): void {
  const attribute = attributeOf(pool, name);
  if (attribute === undefined) throw unfit(`Type for attribute {${name}} could not be determined`);
  if (name === "sub" || name === "identities")
    throw invalid(`Cannot modify the non-mutable attribute ${name}`);
  const { StringAttributeConstraints: lengths = {}, NumberAttributeConstraints: bounds = {} } = attribute;
  switch (attribute.AttributeDataType) {
    case "Boolean":
      if (!/^(?:true|false)$/i.test(value)) throw unfit(`${name}: Invalid boolean value`);
      return;
    case "Number":
      if (!/^-?\d+(?:\.\d+)?$/.test(value)) throw unfit(`${name}: Invalid number`);
      if (
        Number(value) < Number(bounds.MinValue ?? -Infinity) ||
        Number(value) > Number(bounds.MaxValue ?? Infinity)
      )
        throw unfit(`${name}: Value is out of range`);
      return;
    case "DateTime":
      if (Number.isNaN(Date.parse(value))) throw unfit(`${name}: Invalid date`);
      return;
    case "String":
      // An empty value takes an attribute away, so it has no least length.
      if (value !== "" && value.length < Number(lengths.MinLength ?? 0))
        throw unfit(`${name}: String must be at least ${lengths.MinLength} characters long`);
      if (value.length > Number(lengths.MaxLength ?? 2048))
        throw unfit(`${name}: String must be no longer than ${lengths.MaxLength ?? 2048} characters`);
  }
  if (name === "email" && value !== "" && !isEmail(value)) throw invalid("Invalid email address format.");
  if (name === "phone_number" && value !== "" && !isPhoneNumber(value))
    throw invalid("Invalid phone number format.");
}

function unfit(what: string) {
  return invalid(`Attributes did not conform to the schema: ${what}`);
}

export function isEmail(value: string): boolean {
  return /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(value);
}

/** E.164 */
export function isPhoneNumber(value: string): boolean {
  return /^\+[1-9]\d{1,14}$/.test(value);
}
