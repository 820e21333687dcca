import model from "../../models/mawps.json" with { type: "json" };
import type { Declaration } from "./declaration.ts";
import { declarationOf, secretsOf } from "./declare.ts";
import { defaultPeriods, type RetentionPeriods } from "./retention.ts";
import type { Model } from "./schema.ts";

/** The configured names of one environment of the site. */
export interface Names {
  readonly region: string;
  readonly buckets: {
    readonly publicMedia: string;
    readonly userFiles: string;
    /** The site's own, to which it uploads today. */
    readonly profileImages: string;
  };
  readonly tables: {
    readonly userProfiles: string;
    readonly digitalTwin: string;
    readonly auditLog: string;
    readonly migrations: string;
    readonly userDocuments: string;
  };
  readonly userPoolId?: string;
  /** Of the website's pages, which send files to presigned addresses; `*` where they are not known. */
  readonly websiteOrigins: readonly string[];
  /** Of the profile table, where there is none yet. */
  readonly newTableShape: "simple" | "composite";
}

const { buckets, entities, tables } = model;

export const defaultNames: Names = {
  region: model.region,
  buckets: {
    publicMedia: buckets.publicMedia.name,
    userFiles: buckets.userFiles.name,
    profileImages: buckets.profileImages.name,
  },
  tables: {
    userProfiles: tables.userProfiles.name,
    digitalTwin: tables.digitalTwin.name,
    auditLog: tables.auditLog.name,
    migrations: tables.migrations.name,
    userDocuments: tables.userDocuments.name,
  },
  websiteOrigins: ["*"],
  // The website's backend reads by `userId` alone.
  newTableShape: "simple",
};

/** models/mawps.json. That it is a model is held by a test, so that no command waits for it to be checked. */
export const mawpsModel = model as unknown as Model;

const { avatar, documents, hero, progress } = model.features;

/** Where a profile points at its picture: the website reads the first today, and once read the second. */
export const avatarAttributes: readonly string[] = avatar.fields;

/** Of the owner's item: the live pictures, their smaller ones, and which were live before, kept by the tool. */
export const heroAttributes = hero.fields;

/** The `type` without which the website does not find the hero images. */
export const heroItemType = entities.heroImages.when.type;

/** Attributes of an item that point at pictures: texts, or lists and maps with texts in them. */
export const pictureAttributes = [
  ...avatarAttributes,
  hero.fields.default,
  hero.fields.hover,
  hero.fields.variants,
];

/** Attributes of a user's profile item that hold the progress. */
export const progressAttributes = { data: entities.progress.at, updatedAt: progress.updatedAt };

/** Maps of which a progress has one at least. */
export const progressParts = Object.keys(entities.progress.fields);

/** Attribute of a user's item with the list of entries of documents. */
export const entriesAttribute = entities.documents.at.replace("[]", "");

/** What a composite key says of the items that hold documents. */
export const itemTypes = documents.itemTypes;

/** Attribute of an entry with the object's address. */
export const addressAttribute = documents.fields.address;

/** API keys and whatever else opens something, wherever the site's pages have put it. */
export const siteSecrets = secretsOf(model);

/** The storage of MAWPS. Pure: the same names give the same declaration. */
export function mawps(names: Names, periods: RetentionPeriods = defaultPeriods): Declaration {
  return declarationOf(mawpsModel, names, { ...periods });
}
