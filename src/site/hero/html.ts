import type { HeroVariant } from "./live.ts";

/** Best compression first: a browser takes the first source it understands. */
const order = ["image/avif", "image/webp"];

/**
 * The `<picture>` element for the live image: one source a format with its widths, the JPEG for all others.
 * Without variants a plain `<img>`.
 */
export function pictureHtml(picture: {
  readonly url: string;
  readonly variants: readonly HeroVariant[];
}): string {
  const img = `<img src="${escaped(picture.url)}" alt="Profile picture" decoding="async">`;
  const types = [...new Set(picture.variants.map(({ type }) => type))].sort(
    (one, other) => rank(one) - rank(other),
  );
  if (types.length === 0) return img;
  const sources = types.map((type) => {
    const widths = picture.variants
      .filter((variant) => variant.type === type)
      .sort((one, other) => one.width - other.width)
      .map(({ url, width }) => `${escaped(url)} ${width}w`);
    return `  <source type="${escaped(type)}" srcset="${widths.join(", ")}" sizes="100vw">`;
  });
  return ["<picture>", ...sources, `  ${img}`, "</picture>"].join("\n");
}

function rank(type: string): number {
  const place = order.indexOf(type);
  return place === -1 ? order.length : place;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll('"', "&quot;")
    .replaceAll("<", "&lt;")
    .replaceAll(" ", "%20");
}
