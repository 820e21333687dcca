// In the bundle, in place of string-width: that prepares for emoji as soon as it is loaded, for 20 milliseconds, and most texts are
// of letters that take one column each.
// oxlint-disable-next-line no-control-regex
const painted = /\u001B\[[\d;]*m/g;
const narrow = /^[ -~\u00A1-\u00AC\u00AE-\u024F\u2010-\u2026]*$/;

/** Columns of a terminal that a text takes. */
module.exports = (text, ...options) => {
  const plain = text.includes("\u001B") ? text.replaceAll(painted, "") : text;
  return narrow.test(plain) ? plain.length : require("string-width").default(text, ...options);
};
