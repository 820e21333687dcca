/** Kinds of files that can be told by their content, and so be documents. */
export const documentTypes = [
  { ext: "pdf", contentType: "application/pdf" },
  { ext: "docx", contentType: "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
  { ext: "xlsx", contentType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
  { ext: "pptx", contentType: "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
  { ext: "odt", contentType: "application/vnd.oasis.opendocument.text" },
  { ext: "ods", contentType: "application/vnd.oasis.opendocument.spreadsheet" },
  { ext: "odp", contentType: "application/vnd.oasis.opendocument.presentation" },
  { ext: "txt", contentType: "text/plain" },
  { ext: "png", contentType: "image/png" },
  { ext: "jpg", contentType: "image/jpeg" },
  { ext: "gif", contentType: "image/gif" },
  { ext: "webp", contentType: "image/webp" },
] as const;

export type DocumentType = (typeof documentTypes)[number];
export type DocumentExtension = DocumentType["ext"];

/** What the site takes unless configured otherwise. */
export const defaultDocumentTypes: readonly DocumentExtension[] = [
  "pdf",
  "docx",
  "xlsx",
  "odt",
  "txt",
  "png",
  "jpg",
];

export function isDocumentExtension(value: unknown): value is DocumentExtension {
  return documentTypes.some(({ ext }) => ext === value);
}
