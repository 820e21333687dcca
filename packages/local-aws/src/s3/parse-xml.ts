import { SaxesParser } from "saxes";
import { S3Fault } from "./fault.ts";
import type { XmlElement } from "./xml.ts";

/** An upload of 10,000 parts with all their checksums has 90,001 elements, and nothing has more. */
const maxElements = 100_000;
const maxLevels = 32;

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
  let elements = 0;
  parser.on("opentag", (tag) => {
    if (++elements > maxElements || open.length > maxLevels) throw tooMuch();
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
  } catch (error) {
    throw error instanceof S3Fault ? error : new S3Fault("MalformedXML");
  }
  const [document] = top.children;
  if (document?.name !== root) throw new S3Fault("MalformedXML");
  return document;
}

function tooMuch(): S3Fault {
  return new S3Fault("MalformedXML", {
    message: `The XML you provided has more than ${maxElements} elements or ${maxLevels} levels`,
  });
}
