/** Namespace of all of S3's documents but the error. */
const namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/** A parsed element; attributes and namespaces are dropped, text is that directly inside. */
export interface XmlElement {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** Markup that is already escaped. */
export interface Markup {
  readonly markup: string;
}

export type XmlContent = Markup | string | number | boolean | undefined | readonly XmlContent[];

/** An element; children that are undefined are left out, plain values are escaped. */
export function el(name: string, ...content: readonly XmlContent[]): Markup {
  return { markup: `<${name}>${content.map(inner).join("")}</${name}>` };
}

/** `el`, or nothing at all when the value is undefined. */
export function optional(name: string, value: string | number | boolean | undefined): Markup | undefined {
  return value === undefined ? undefined : el(name, value);
}

/** A whole document in S3's namespace. */
export function xmlDocument(name: string, ...content: readonly XmlContent[]): string {
  const body = content.map(inner).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${namespace}">${body}</${name}>`;
}

/** The error document, which has no namespace. */
export function errorDocument(...content: readonly XmlContent[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${el("Error", ...content).markup}`;
}

/** An element as it was parsed, its children included. */
export function markupOf(element: XmlElement): Markup {
  return element.children.length === 0
    ? el(element.name, element.text)
    : el(element.name, element.children.map(markupOf));
}

/** Parses a request's document, whose root must be `root`; few requests carry one, so the parser is loaded late. */
export async function parseXml(source: string, root: string): Promise<XmlElement> {
  return (await import("./parse-xml.ts")).parse(source, root);
}

export function childrenOf(element: XmlElement | undefined, name: string): XmlElement[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name);
}

/** Trimmed text of a child; undefined when there is no such child. */
export function textOf(element: XmlElement | undefined, name: string): string | undefined {
  return childOf(element, name)?.text.trim();
}

function inner(content: XmlContent): string {
  if (content === undefined) return "";
  if (typeof content === "object") {
    return "markup" in content ? content.markup : content.map(inner).join("");
  }
  return escapeXml(String(content));
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Control characters go out as references, as S3 sends them, though XML 1.0 forbids some even so. */
function escapeXml(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex -- control characters are ordinary in keys
    /[&<>"\u0000-\u0008\u000B-\u001F\u007F\uFFFE\uFFFF]/g,
    (character) => entities[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );
}
