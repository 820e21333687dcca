/**
 * A line for the browser's console, on a page of the site: downloads the value of one localStorage key as
 * `<key>.json`. Reads no other key.
 */
export function downloadLine(key: string): string {
  return (
    "((key) => { const value = localStorage.getItem(key); " +
    "if (value === null) return `${location.origin} has no ${key} in this browser`; " +
    'const link = document.createElement("a"); ' +
    'link.href = URL.createObjectURL(new Blob([value], { type: "application/json" })); ' +
    "link.download = `${key}.json`; document.body.append(link); link.click(); link.remove(); " +
    "setTimeout(() => URL.revokeObjectURL(link.href), 60000); " +
    `return \`saved as \${key}.json\`; })(${literal(key)})`
  );
}

/**
 * A line for the browser's console that puts a text under a localStorage key. It stays intact on its way through
 * terminals, chats, HTML and template literals: ASCII only, and no quote, backtick, `<`, `>`, `&` or `$` of the text is
 * left as such. `readSource` takes it as a source.
 */
export function localStorageLine(key: string, text: string): string {
  return `localStorage.setItem(${JSON.stringify(key)}, ${literal(text)})`;
}

/** A JSON string, which is a JavaScript string too, with everything escaped that means something to anybody. */
function literal(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(/\\"|[^\u0020-\u007E]|['`<>&$]/g, (match) => {
      const unit = match === '\\"' ? '"' : match;
      return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
    })
    .replace(/^/, '"')
    .concat('"');
}
