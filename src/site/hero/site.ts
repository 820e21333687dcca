import type { AuditSite } from "../../audit/site.ts";
import type { Aws } from "../../aws/clients.ts";
import { parsePublicUrl, publicUrl, type KnownPlaces, type ObjectAddress } from "../../model/urls.ts";

/** Where the hero images of one environment live. */
export interface HeroSite {
  readonly aws: Aws;
  /** The public bucket. */
  readonly bucket: string;
  /** The bucket to which the website uploads today: heroes in it are known, and never written. */
  readonly uploadsBucket: string;
  /** The table of the profiles, with the owner's item. */
  readonly table: string;
  /** What stands in front of the bucket, such as a CDN. */
  readonly publicBaseUrl: string | undefined;
  /** The audit trail, which remembers what was live. */
  readonly trail: AuditSite;
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

/** The object that a stored URL points at, in whatever bucket; undefined when it is of no S3. */
export function addressOf(site: HeroSite, url: string): ObjectAddress | undefined {
  return parsePublicUrl(url, placesOf(site));
}

/** What stands for buckets in stored URLs. */
export function placesOf({ aws, bucket, publicBaseUrl }: HeroSite): KnownPlaces {
  return { endpointUrl: aws.endpointUrl, publicBaseUrl, publicBucket: bucket };
}

/** The key that a stored URL points at; undefined when it points anywhere else than into the public bucket. */
export function heroKeyOf(site: HeroSite, url: string | null): string | undefined {
  const address = url === null ? undefined : addressOf(site, url);
  return address?.bucket === site.bucket ? address.key : undefined;
}

/** URL of an object as it is stored and shown: of the public bucket by what stands in front of it. */
export function urlOf(site: HeroSite, { bucket, key }: ObjectAddress): string {
  if (bucket === site.bucket) return heroUrl(site, key);
  const { region, endpointUrl } = site.aws;
  return publicUrl({ bucket, key, region, endpointUrl });
}
