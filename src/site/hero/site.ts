import type { Aws } from "../../aws/clients.ts";
import { parsePublicUrl, publicUrl } from "../../model/urls.ts";

/** Where the hero images of one environment live. */
export interface HeroSite {
  readonly aws: Aws;
  /** The public bucket. */
  readonly bucket: string;
  /** The table of the profiles, with the owner's item. */
  readonly table: string;
  /** What stands in front of the bucket, such as a CDN. */
  readonly publicBaseUrl: string | undefined;
  readonly signal: AbortSignal;
}

/** URL that is stored and shown for a key of the public bucket. */
export function heroUrl(site: HeroSite, key: string): string {
  const { bucket, publicBaseUrl } = site;
  return publicUrl({
    bucket,
    key,
    region: site.aws.region,
    endpointUrl: site.aws.endpointUrl,
    publicBaseUrl,
  });
}

/** URL of the bucket itself: what a server in AWS's place serves, whatever stands in front of the real one. */
export function originUrl(site: HeroSite, key: string): string {
  return heroUrl({ ...site, publicBaseUrl: undefined }, key);
}

/** The key that a stored URL points at; undefined when it points anywhere else than into the public bucket. */
export function heroKeyOf(site: HeroSite, url: string | null): string | undefined {
  if (url === null) return undefined;
  const address = parsePublicUrl(url, {
    endpointUrl: site.aws.endpointUrl,
    publicBaseUrl: site.publicBaseUrl,
    publicBucket: site.bucket,
  });
  return address?.bucket === site.bucket ? address.key : undefined;
}
