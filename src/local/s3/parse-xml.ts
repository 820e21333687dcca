import { SaxesParser } from "saxes";
import { S3Fault } from "./fault.ts";
import type { XmlElement } from "./xml.ts";

/** Parses a request's document, whose root must be `root`. Throws MalformedXML. */
export function parse(source: string, root: string): XmlElement {
  interface Open {
    name: string;
    text: string;
    children: XmlElement[];
  }
  const parser = new SaxesParser();
  const top: Open = { name: "", text: "", children: [] };
  const open: Open[] = [top];
  parser.on("opentag", (tag) => {
    const element = { name: tag.name.replace(/^.*:/, ""), text: "", children: [] };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on("text", (text) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += text;
  });
  parser.on("closetag", () => {
    open.pop();
  });
  // A document type could only bring entities, which no client of S3 needs.
  parser.on("doctype", () => {
    throw new S3Fault("MalformedXML");
  });
  try {
    parser.write(source.replace(/^\uFEFF/, "")).close();
  } catch {
    throw new S3Fault("MalformedXML");
  }
  const [document] = top.children;
  if (document?.name !== root) throw new S3Fault("MalformedXML");
  return document;
}
