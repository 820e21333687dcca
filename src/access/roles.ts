import { calls } from "./calls.ts";
import { alarmsMade, metricsPut, metricsSeen, scalingMade, scalingSeen } from "./operations.ts";
import type { AccessSite } from "./place.ts";
import { policiesOf, type Policy, type Statement } from "./policy.ts";
import { anchorsKept, archivesMade, recordsKept, trailKept } from "./records.ts";
import { folders, ownRows, type NotExpressible } from "./rows.ts";
import { daily, kept, read, settingsKept } from "./staff.ts";
import { granted, groupedCalls } from "./statements.ts";

export const roles = ["owner", "admin", "ci-backup", "ci-retention", "website", "user"] as const;
export type Role = (typeof roles)[number];

export interface RolePolicies {
  readonly role: Role;
  /** Each short enough for a managed policy; a role takes ten of them. */
  readonly policies: readonly Policy[];
  readonly notExpressible: readonly NotExpressible[];
}

/** What the jobs of a role run. */
export const jobs = {
  "ci-backup": ["backup create", "backup list", "backup verify", "backup drill", "backup prune"],
  "ci-retention": ["retention plan", "retention run", "audit verify"],
} as const;

/** The policies of a role on a site, by the site's model. Pure: the same give the same. */
export function policiesFor(role: Role, site: AccessSite): RolePolicies {
  const { statements, notExpressible = [] } = statementsFor(role, site);
  return { role, policies: policiesOf(statements), notExpressible };
}

interface Wanted {
  readonly statements: readonly Statement[];
  readonly notExpressible?: readonly NotExpressible[];
}

function statementsFor(role: Role, site: AccessSite): Wanted {
  switch (role) {
    case "owner":
      return {
        statements: [
          ...granted(site, [...read, ...daily, ...kept]),
          ...anchorsKept(site),
          ...metricsPut(site),
          ...metricsSeen(site),
          ...alarmsMade(site),
          ...scalingSeen(site),
          ...scalingMade(site),
        ],
      };
    case "admin":
      return {
        statements: [
          ...granted(site, [...read, ...daily]),
          ...anchorsKept(site),
          ...metricsPut(site),
          ...metricsSeen(site),
          ...scalingSeen(site),
          ...settingsKept,
          ...recordsKept(site),
        ],
      };
    case "ci-backup":
    case "ci-retention": {
      const grants = groupedCalls(jobs[role].flatMap((command) => calls[command] ?? []));
      return {
        statements: [
          ...granted(site, grants),
          ...(role === "ci-retention" ? archivesMade(site) : []),
          ...anchorsKept(site),
          ...metricsPut(site),
          ...recordsKept(site),
        ],
      };
    }
    case "website":
      return { statements: [...websiteStatements(site), ...trailKept(site)] };
    case "user": {
      const { statements, notExpressible } = ownRows(site);
      return { statements: [...statements, ...trailKept(site)], notExpressible };
    }
  }
}

/** What the site's own backend does: its tables, and the folders of its kinds of things. It finds by keys and deletes nothing for good. */
function websiteStatements(site: AccessSite): Statement[] {
  const files = [...new Set(folders(site))];
  return [
    ...granted(site, [
      {
        sid: "Items",
        actions: [
          "dynamodb:BatchGetItem",
          "dynamodb:ConditionCheckItem",
          "dynamodb:DeleteItem",
          "dynamodb:GetItem",
          "dynamodb:PutItem",
          "dynamodb:Query",
          "dynamodb:UpdateItem",
        ],
        on: ["itemTables"],
      },
      {
        sid: "Trail",
        actions: [
          "dynamodb:BatchGetItem",
          "dynamodb:ConditionCheckItem",
          "dynamodb:GetItem",
          "dynamodb:PutItem",
          "dynamodb:Query",
        ],
        on: ["siteTrail"],
      },
      { sid: "Indexes", actions: ["dynamodb:Query"], on: ["siteIndexes"] },
      { sid: "Listing", actions: ["s3:ListBucket"], on: ["buckets"] },
    ]),
    ...(files.length === 0
      ? []
      : [
          {
            Sid: "Files",
            Effect: "Allow" as const,
            Action: ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            Resource: files,
          },
        ]),
  ];
}
