/** Noise over the plane, 0 to 1, smooth, with features of about one unit. */
export type Noise = (x: number, y: number) => number;

/** Value noise on a lattice of 256 x 256 that repeats. */
export function makeNoise(seed: number): Noise {
  const random = makeRandom(seed ^ 0x5f3759df);
  const lattice = Float32Array.from({ length: 65_536 }, random);
  return (x, y) => {
    const left = Math.floor(x);
    const top = Math.floor(y);
    const fx = (x - left) * (x - left) * (3 - 2 * (x - left));
    const fy = (y - top) * (y - top) * (3 - 2 * (y - top));
    const upper = (top & 255) << 8;
    const lower = ((top + 1) & 255) << 8;
    const a = lattice[upper | (left & 255)] ?? 0;
    const b = lattice[upper | ((left + 1) & 255)] ?? 0;
    const c = lattice[lower | (left & 255)] ?? 0;
    const d = lattice[lower | ((left + 1) & 255)] ?? 0;
    return a + (b - a) * fx + (c - a + (a - b - c + d) * fx) * fy;
  };
}

/** Octaves of noise, each twice as fine and half as strong, 0 to 1. */
export function fractal(noise: Noise, x: number, y: number, octaves: number): number {
  let sum = 0;
  let scale = 1;
  let total = 0;
  for (let octave = 0; octave < octaves; octave++) {
    sum += noise(x * scale + octave * 19.7, y * scale + octave * 7.3) / scale;
    total += 1 / scale;
    scale *= 2;
  }
  return sum / total;
}

/** Noise folded at its middle: crests and gullies, 0 to 1. */
export function ridged(noise: Noise, x: number, y: number): number {
  let sum = 0;
  let strength = 0.55;
  let scale = 1;
  for (let octave = 0; octave < 4; octave++) {
    sum += strength * (1 - Math.abs(2 * noise(x * scale + octave * 5.1, y * scale + octave * 3.7) - 1));
    strength *= 0.45;
    scale *= 2;
  }
  return sum;
}

/** Mulberry32: small, seeded, good enough for paint. */
export function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
