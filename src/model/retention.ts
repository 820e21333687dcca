/** In days, unless the name says otherwise; `off` turns a rule off. The defaults are the site's promises. */
export interface RetentionPeriods {
  /** From soft delete to the removal of every version: the period of the site's privacy notice. */
  readonly deletedDocuments: Period;
  /** From a document's `expiresAt` to its soft delete. */
  readonly expiredDocuments: Period;
  readonly halfDoneUploads: Period;
  readonly multipartUploads: Period;
  readonly noncurrentVersions: Period;
  readonly unreferencedImages: Period;
  readonly auditEntries: Period;
  /** Numbers of the newest that are kept. */
  readonly keepImages: number;
  readonly keepTwinVersions: Period;
}

export type Period = number | "off";

export const defaultPeriods: RetentionPeriods = {
  deletedDocuments: 30,
  expiredDocuments: 0,
  halfDoneUploads: 1,
  multipartUploads: 7,
  noncurrentVersions: 30,
  unreferencedImages: 90,
  // Seven years, with two leap days.
  auditEntries: 2557,
  keepImages: 5,
  keepTwinVersions: 10,
};
