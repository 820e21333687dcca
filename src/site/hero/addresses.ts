import type { Context } from "../../context.ts";
import { parsePublicUrl, publicUrl, type KnownPlaces, type ObjectAddress } from "../../model/urls.ts";

/** URL that is stored and shown for a key of the public bucket. */
export function heroUrl(context: Context, key: string): string {
  const { buckets, publicBaseUrl } = context;
  return publicUrl({
    bucket: buckets.publicMedia,
    key,
    region: context.aws.region,
    endpointUrl: context.aws.endpointUrl,
    publicBaseUrl,
  });
}

/** URL of the bucket itself: what a server in AWS's place serves, whatever stands in front of the real one. */
export function originUrl(context: Context, key: string): string {
  return heroUrl({ ...context, publicBaseUrl: undefined }, key);
}

/** The object that a stored URL points at, in whatever bucket; undefined when it is of no S3. */
export function addressOf(context: Context, url: string): ObjectAddress | undefined {
  return parsePublicUrl(url, placesOf(context));
}

/** What stands for buckets in stored URLs. */
export function placesOf({ aws, buckets, publicBaseUrl }: Context): KnownPlaces {
  return { endpointUrl: aws.endpointUrl, publicBaseUrl, publicBucket: buckets.publicMedia };
}

/** The key that a stored URL points at; undefined when it points anywhere else than into the public bucket. */
export function heroKeyOf(context: Context, url: string | null): string | undefined {
  const address = url === null ? undefined : addressOf(context, url);
  return address?.bucket === context.buckets.publicMedia ? address.key : undefined;
}

/** URL of an object as it is stored and shown: of the public bucket by what stands in front of it. */
export function urlOf(context: Context, { bucket, key }: ObjectAddress): string {
  if (bucket === context.buckets.publicMedia) return heroUrl(context, key);
  const { region, endpointUrl } = context.aws;
  return publicUrl({ bucket, key, region, endpointUrl });
}
