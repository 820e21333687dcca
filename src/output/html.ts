/** Text as it may stand in HTML, in an element or in an attribute between quotes. */
export function escapedHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** Foreign text, which keeps its direction of writing to itself. */
export function foreignHtml(text: string): string {
  return `<bdi>${escapedHtml(text)}</bdi>`;
}

/** The beginning of a page that is all in itself: no script runs in it, and nothing is loaded. */
export function pageHead(language: string, title: string): string {
  return (
    `<!doctype html>\n<html lang="${language}"><head><meta charset="utf-8">` +
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">` +
    `<meta name="viewport" content="width=device-width"><title>${escapedHtml(title)}</title><style>${style}</style></head><body>\n`
  );
}

const style =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}" +
  "table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}td,th{border:1px solid #ccc;padding:.25rem .5rem;text-align:left;" +
  "vertical-align:top;overflow-wrap:anywhere}th{background:#f5f5f5}h2{margin-top:2.5rem}small{color:#666}";
