import { fractal, makeNoise, makeRandom, ridged } from "./noise.ts";
import type { Noise } from "./noise.ts";

type Colour = readonly [red: number, green: number, blue: number];
/** Three bytes a pixel: red, green, blue. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8ClampedArray;
}

/** A range of hills, far to near: colours change from the haze of the sky to the dark of the wood. */
interface Range {
  readonly base: number;
  readonly relief: number;
  /** Features across the width of the picture. */
  readonly features: number;
  readonly light: Colour;
  readonly shade: Colour;
}

const skyTop: Colour = [52, 92, 148];
const skyMiddle: Colour = [150, 172, 194];
const skyHorizon: Colour = [250, 212, 166];
const sunlight: Colour = [255, 236, 196];
const haze: Colour = [238, 206, 176];

const sun = { x: 0.66, y: 0.4, radius: 0.021 };
const waterline = 0.69;

const ranges: readonly Range[] = [
  { base: 0.56, relief: 0.2, features: 3.1, light: [204, 184, 180], shade: [158, 158, 178] },
  { base: 0.6, relief: 0.17, features: 4.3, light: [170, 156, 156], shade: [116, 124, 150] },
  { base: 0.645, relief: 0.13, features: 4.9, light: [122, 118, 118], shade: [76, 92, 116] },
  { base: 0.68, relief: 0.085, features: 6.1, light: [84, 92, 78], shade: [42, 62, 72] },
];

/** Paints a lake at sunrise: sky, four ranges of hills, water that mirrors them, a bank with firs. */
export function paintLandscape(width: number, height: number, seed: number): Canvas {
  const canvas: Canvas = { width, height, pixels: new Uint8ClampedArray(width * height * 3) };
  const noise = makeNoise(seed);
  paintSky(canvas, noise);
  for (const [depth, range] of ranges.entries()) paintRange(canvas, range, { noise, depth });
  paintWater(canvas, noise);
  paintShore(canvas, noise, makeRandom(seed));
  return canvas;
}

function paintSky(canvas: Canvas, noise: Noise): void {
  const { width, height } = canvas;
  const bottom = Math.ceil(height * waterline);
  for (let row = 0; row < bottom; row++) {
    const v = row / height;
    const t = Math.min(1, v / 0.56);
    const backdrop =
      t < 0.55
        ? mix(skyTop, skyMiddle, smooth(t / 0.55))
        : mix(skyMiddle, skyHorizon, smooth((t - 0.55) / 0.45));
    for (let column = 0; column < width; column++) {
      const u = (column / width) * (width / height);
      const distance = Math.hypot(u - sun.x * (width / height), v - sun.y);
      const glow = 0.75 * Math.exp(-distance * 7) + 0.5 * Math.exp(-distance * 2.4);
      const disc = 1 - smooth((distance - sun.radius) / 0.006);
      // Streaks of cloud: noise drawn out along the horizon, thinner towards it.
      const cloud =
        smooth((fractal(noise, u * 1.6 + 3, v * 7.5 + fractal(noise, u * 2, v * 3, 2), 5) - 0.5) * 3.4) *
        (1 - t * 0.55);
      const lit = Math.min(1, 0.35 + glow + t * 0.4);
      let [red, green, blue] = backdrop;
      red += (sunlight[0] - red) * Math.min(1, glow) + (250 * lit + 130 * (1 - lit) - red) * cloud * 0.62;
      green +=
        (sunlight[1] - green) * Math.min(1, glow) * 0.86 +
        (222 * lit + 140 * (1 - lit) - green) * cloud * 0.62;
      blue +=
        (sunlight[2] - blue) * Math.min(1, glow) * 0.7 + (206 * lit + 164 * (1 - lit) - blue) * cloud * 0.62;
      set(canvas, row * width + column, [
        red + (255 - red) * disc,
        green + (252 - green) * disc,
        blue + (236 - blue) * disc,
      ]);
    }
  }
}

function paintRange(canvas: Canvas, range: Range, options: { noise: Noise; depth: number }): void {
  const { width, height } = canvas;
  const { noise, depth } = options;
  const bottom = Math.ceil(height * waterline);
  const offset = depth * 37.3;
  const wooded = depth >= 2;
  for (let column = 0; column < width; column++) {
    const u = column / width;
    const x = u * range.features + offset;
    const crest = range.base - range.relief * (ridged(noise, x, offset) - 0.28);
    const needles = wooded
      ? 0.006 * depth * 0.5 * noise(u * 420, offset) + 0.003 * noise(u * 900, offset)
      : 0;
    const top = (crest - needles) * height;
    const near = Math.exp(-Math.abs(u - sun.x) * 2.6);
    for (let row = Math.max(0, Math.floor(top)); row < bottom; row++) {
      const below = (row - top) / height;
      const cover = Math.min(1, row + 1 - top);
      const v = row / height;
      // Slopes: the same noise looked at from a little further towards the sun gives light and shade.
      const slope =
        ridged(noise, x + below * 2.5, offset + v * range.features * 1.3) -
        ridged(noise, x + below * 2.5 + 0.035, offset + v * range.features * 1.3);
      const wood = wooded
        ? (noise(u * 260, v * 300 + offset) - 0.5) * 0.35
        : (noise(u * 150, v * 160 + offset) - 0.5) * 0.12;
      const lit = clamp01(0.42 + slope * 5 + wood + near * 0.22);
      const mist = clamp01(
        smooth((v - range.base + 0.05) / (waterline - range.base + 0.055)) * (0.78 - depth * 0.14) +
          near * 0.2 * (1 - depth * 0.2),
      );
      const index = row * width + column;
      set(canvas, index, mix(get(canvas, index), mix(mix(range.shade, range.light, lit), haze, mist), cover));
    }
  }
}

function paintWater(canvas: Canvas, noise: Noise): void {
  const { width, height } = canvas;
  const first = Math.ceil(height * waterline);
  for (let row = first; row < height; row++) {
    const depth = (row - first) / (height - first);
    // Perspective: ripples grow towards the viewer and lie flat, drawn out sideways.
    const away = 25 * Math.log(depth + 0.05);
    for (let column = 0; column < width; column++) {
      const u = column / width;
      const ripple = fractal(noise, u * (42 - 20 * depth) + 11, away, 4) - 0.5;
      const mirrored = first - 1 - (row - first) * 1.12 - ripple * (4 + 70 * depth) * (height / 1512);
      const from = Math.min(first - 1, Math.max(0, Math.round(mirrored)));
      const aside = Math.min(width - 1, Math.max(0, Math.round(column + ripple * 26 * depth)));
      const [red, green, blue] = get(canvas, from * width + aside);
      const dark = 0.86 - 0.3 * depth;
      const glitter =
        clamp01((ripple - 0.05) * 4) *
        Math.exp(-(((u - sun.x) * (9 - 4 * depth)) ** 2)) *
        120 *
        (1 - depth * 0.4);
      set(canvas, row * width + column, [
        red * dark * 0.95 + 4 + glitter,
        green * dark * 0.98 + 8 + glitter * 0.86,
        blue * dark + 16 + glitter * 0.62,
      ]);
    }
  }
}

/** The near bank with its firs: dark, it gives the picture depth. */
function paintShore(canvas: Canvas, noise: Noise, random: () => number): void {
  const { width, height } = canvas;
  const bank = (u: number): number =>
    0.965 -
    0.16 * Math.exp(-(((u + 0.02) / 0.3) ** 2)) -
    0.07 * Math.exp(-(((u - 1.05) / 0.22) ** 2)) +
    0.02 * (fractal(noise, u * 6, 90, 3) - 0.5);
  for (let column = 0; column < width; column++) {
    const u = column / width;
    const top = (bank(u) - 0.007 * noise(u * 500, 5) - 0.004 * noise(u * 1100, 9)) * height;
    for (let row = Math.max(0, Math.floor(top)); row < height; row++) {
      const grass = fractal(noise, u * 240, (row / height) * 90, 2) - 0.35;
      const edge = Math.exp(-(row - top) / (height * 0.02));
      const cover = Math.min(1, row + 1 - top);
      const index = row * width + column;
      set(
        canvas,
        index,
        mix(
          get(canvas, index),
          [24 + grass * 40 + edge * 26, 32 + grass * 44 + edge * 20, 24 + grass * 20 + edge * 4],
          cover,
        ),
      );
    }
  }
  const firs = Array.from({ length: 26 }, (_, count) => {
    const left = count < 19;
    const u = left ? -0.01 + 0.3 * random() ** 1.5 : 0.86 + 0.15 * random();
    return {
      u,
      tall: left ? 0.2 + 0.27 * (1 - u / 0.32) * random() + 0.06 * random() : 0.12 + 0.12 * random(),
    };
  });
  for (const fir of firs.sort((a, b) => a.tall - b.tall))
    paintFir(
      canvas,
      { x: fir.u * width, foot: (bank(fir.u) + 0.02) * height, tall: fir.tall * height },
      noise,
    );
}

function paintFir(canvas: Canvas, fir: { x: number; foot: number; tall: number }, noise: Noise): void {
  const { width, height } = canvas;
  for (let row = Math.max(0, Math.floor(fir.foot - fir.tall)); row < Math.min(height, fir.foot); row++) {
    const down = (row - (fir.foot - fir.tall)) / fir.tall;
    // Whorls of branches: each widens downwards and is cut back above the next.
    const whorl = (down * (9 + 9 * down)) % 1;
    for (const side of [-1, 1]) {
      const ragged = noise(row * 0.19, fir.x + side * 17) * 0.6 + noise(row * 0.53, fir.x - side * 31) * 0.5;
      const reach = fir.tall * (0.002 + 0.18 * down ** 0.8 * (0.42 + 0.58 * whorl) * (0.45 + 0.65 * ragged));
      const trunk = fir.tall * 0.008;
      const length = down > 0.97 ? trunk : reach;
      for (let step = 0; step <= length; step++) {
        const column = Math.round(fir.x + side * step);
        if (column < 0 || column >= width) continue;
        const tone =
          0.55 + 0.5 * noise(column * 0.22, row * 0.22) + (side > 0 ? 0.4 : 0) * (step / length) ** 2;
        const index = row * width + column;
        set(
          canvas,
          index,
          mix(get(canvas, index), [22 * tone, 30 * tone, 27 * tone], Math.min(1, length - step + 0.3)),
        );
      }
    }
  }
}

function get(canvas: Canvas, index: number): Colour {
  const at = index * 3;
  return [canvas.pixels[at] ?? 0, canvas.pixels[at + 1] ?? 0, canvas.pixels[at + 2] ?? 0];
}

function set(canvas: Canvas, index: number, colour: Colour): void {
  const at = index * 3;
  canvas.pixels[at] = colour[0];
  canvas.pixels[at + 1] = colour[1];
  canvas.pixels[at + 2] = colour[2];
}

function mix(from: Colour, to: Colour, share: number): Colour {
  return [
    from[0] + (to[0] - from[0]) * share,
    from[1] + (to[1] - from[1]) * share,
    from[2] + (to[2] - from[2]) * share,
  ];
}

function smooth(value: number): number {
  const t = clamp01(value);
  return t * t * (3 - 2 * t);
}

function clamp01(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}
