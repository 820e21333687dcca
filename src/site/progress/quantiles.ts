/** Up to here the median is exact, beyond it within `sketchError`. 8 KB a page at most. */
const maxExact = 1000;

/** Relative error of a quantile beyond `maxExact` values. */
export const sketchError = 0.01;

const growth = (1 + sketchError) / (1 - sketchError);
const logGrowth = Math.log(growth);

/**
 * Quantiles of a stream of numbers of at least 0 in bounded memory: exact for the first 1,000 values, then a histogram
 * with logarithmic buckets as DDSketch has it (https://arxiv.org/abs/1908.10693), so that every quantile is within 1 %
 * of the true value. For spans between a second and thirty years that is at most 1,040 buckets.
 */
export class Quantiles {
  #values: number[] | undefined = [];
  readonly #buckets = new Map<number, number>();
  #count = 0;

  add(value: number): void {
    this.#count += 1;
    if (this.#values === undefined) {
      this.#countIn(value);
      return;
    }
    this.#values.push(value);
    if (this.#values.length <= maxExact) return;
    for (const kept of this.#values) this.#countIn(kept);
    this.#values = undefined;
  }

  /** Undefined without values. Of an even number of values the exact median is the mean of the middle two. */
  median(): { readonly value: number; readonly exact: boolean } | undefined {
    if (this.#count === 0) return undefined;
    if (this.#values === undefined)
      return { value: this.#bucketAt(Math.floor((this.#count - 1) / 2)), exact: false };
    const sorted = this.#values.toSorted((a, b) => a - b);
    const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
    const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0;
    return { value: (lower + upper) / 2, exact: true };
  }

  #countIn(value: number): void {
    // Values below 1 share a bucket: nobody needs 1 % of a second.
    const bucket = value < 1 ? -1 : Math.ceil(Math.log(value) / logGrowth);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
  }

  #bucketAt(rank: number): number {
    let seen = 0;
    for (const [bucket, count] of [...this.#buckets].toSorted(([a], [b]) => a - b)) {
      seen += count;
      if (seen > rank) return bucket === -1 ? 0 : (2 * growth ** bucket) / (growth + 1);
    }
    return 0;
  }
}
