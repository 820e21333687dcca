import type { Checksum, ChecksumAlgorithm, ChecksumType } from "./checksums.ts";
import type { XmlElement } from "./xml.ts";

/** A run of an object's bytes: one blob file. An object from a multipart upload has one per part. */
export interface Segment {
  readonly blob: string;
  readonly bytes: number;
}

/** What a client says of an object beside its bytes. */
export interface Description {
  /** Content-Type, Cache-Control and the like, by lower-case header name, as they go out again. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names without `x-amz-meta-`; values as Unicode. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: readonly Tag[];
  readonly storageClass: string;
  readonly encryption: Encryption;
  readonly acl?: CannedAcl;
  readonly lock?: Lock | undefined;
}

/** Until when a version is kept by Object Lock. */
export interface Lock {
  readonly mode: "GOVERNANCE" | "COMPLIANCE";
  readonly untilMs: number;
}

export type CannedAcl =
  | "private"
  | "public-read"
  | "public-read-write"
  | "authenticated-read"
  | "aws-exec-read"
  | "bucket-owner-read"
  | "bucket-owner-full-control"
  | "log-delivery-write";

export type Tag = readonly [key: string, value: string];

export interface Encryption {
  readonly algorithm: string;
  readonly kmsKeyId?: string;
}

interface VersionRecord {
  /** "null" for an object written while the bucket was not versioned. */
  readonly versionId: string;
  /** Order among the versions of one key, newest highest. */
  readonly sequence: number;
  readonly modifiedMs: number;
}

export interface DeleteMarker extends VersionRecord {
  readonly deleteMarker: true;
}

export interface StoredObject extends VersionRecord, Description {
  readonly deleteMarker?: never;
  readonly bytes: number;
  /** Without quotes. */
  readonly etag: string;
  readonly segments: readonly Segment[];
  readonly checksum?: Checksum;
  /** Of a multipart upload, in order. */
  readonly parts?: readonly PartSummary[];
  /** The upload it came from, so that completing twice answers twice the same. */
  readonly uploadId?: string;
}

interface PartSummary {
  readonly number: number;
  readonly bytes: number;
  /** Base64, by the object's checksum algorithm. */
  readonly checksum?: string;
}

export type ObjectVersion = StoredObject | DeleteMarker;

export interface Upload {
  /** Of the object to be. */
  readonly description: Description;
  readonly uploadId: string;
  readonly initiatedMs: number;
  readonly checksumAlgorithm: ChecksumAlgorithm;
  readonly checksumType: ChecksumType;
  /** Whether the client chose the algorithm; else parts may come with any checksum. */
  readonly checksumChosen: boolean;
}

export interface Part {
  readonly number: number;
  readonly bytes: number;
  readonly etag: string;
  readonly modifiedMs: number;
  readonly segments: readonly Segment[];
  /** Base64, by the upload's algorithm. */
  readonly checksum: string;
  /** What the client checked the part with, where that is another algorithm. */
  readonly sent?: Checksum;
}

export interface PublicAccessBlock {
  readonly BlockPublicAcls: boolean;
  readonly IgnorePublicAcls: boolean;
  readonly BlockPublicPolicy: boolean;
  readonly RestrictPublicBuckets: boolean;
}

export type ObjectOwnership = "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter";

export interface Bucket {
  readonly name: string;
  readonly createdMs: number;
  readonly region: string;
  readonly versioning?: "Enabled" | "Suspended";
  readonly objectLock?: true;
  /** The policy's text as it was put. */
  readonly policy?: string;
  readonly publicAccessBlock?: PublicAccessBlock;
  readonly ownership?: ObjectOwnership;
  readonly acl?: CannedAcl;
  readonly encryption?: Encryption & { readonly bucketKey: boolean };
  readonly tags?: readonly Tag[];
  readonly lifecycle?: XmlElement;
  readonly cors?: XmlElement;
  /** By their ids. */
  readonly inventories?: readonly XmlElement[];
}
