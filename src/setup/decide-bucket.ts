import type { PolicyDocument } from "../aws/s3/bucket-policy.ts";
import type { BucketDeclaration, PolicyStatement, PublicAccessBlock } from "../model/declaration.ts";
import type { ActualBucket, BucketSettings, Seen } from "./actual.ts";
import { inventoryDecision } from "./inventory.ts";
import { corsText, mergedCors, missingCors } from "./cors.ts";
import { mergedLifecycle, missingRules, ruleText } from "./lifecycle.ts";
import { isTlsOnly, mergedPolicy, missingStatements } from "./policy.ts";
import type { Aspect, Step, Write } from "./step.ts";

/** What S3 gives a bucket nobody has set up, for deciding on one that is yet to be made. */
const untouched: BucketSettings = {
  publicAccessBlock: undefined,
  policy: undefined,
  ownership: undefined,
  versioning: undefined,
  encryption: undefined,
  lifecycle: undefined,
  cors: undefined,
  inventories: undefined,
};

type Decision = Omit<Step, "resource" | "name">;

/** Where the buckets are, and whether they are reached without TLS: by a server in AWS's place. */
export interface Place {
  readonly region: string;
  readonly isPlainHttp: boolean;
}

/**
 * The steps from a bucket as it is to the declared one. The public access block comes first: on a private bucket so
 * that it is closed before anything else, on a public one because S3 refuses a public policy until the block allows it.
 */
export function decideBucket(wanted: BucketDeclaration, actual: ActualBucket, place: Place): Step[] {
  const steps: Step[] = [];
  for (const decision of decisions(wanted, actual, place)) {
    steps.push({ resource: "bucket", name: wanted.name, ...decision });
  }
  return steps;
}

function decisions(wanted: BucketDeclaration, actual: ActualBucket, place: Place): Decision[] {
  const { region } = place;
  const { presence, settings = untouched } = actual;
  const aspect = "bucket";
  if (presence.state === "here") {
    return [{ aspect, kind: "ok", to: `in ${region}` }, ...settingSteps(wanted, settings, place)];
  }
  if (presence.state === "missing") {
    return [
      { aspect, kind: "create", to: `in ${region}`, write: { do: "create-bucket" } },
      ...settingSteps(wanted, untouched, place).map(asAddition),
    ];
  }
  if (presence.state === "elsewhere") {
    return [
      {
        aspect,
        kind: "problem",
        from: presence.region,
        to: `is in ${presence.region}, not in ${region}`,
        remedy: `run with --region ${presence.region}, or name another bucket in the configuration`,
      },
    ];
  }
  return [
    {
      aspect,
      kind: "problem",
      to: "exists, but another account has it or this identity may not list it",
      remedy: `allow s3:ListBucket on ${wanted.name}, or name another bucket in the configuration`,
    },
  ];
}

/** On a bucket of our own making nothing of anybody's can be changed, or closed off. */
function asAddition({ from: _from, mayCloseOff: _open, ...decision }: Decision): Decision {
  return decision.kind === "change" ? Object.assign(decision, { kind: "add" as const }) : decision;
}

function settingSteps(wanted: BucketDeclaration, actual: BucketSettings, place: Place): Decision[] {
  return [
    onKnown("public access block", actual.publicAccessBlock, (block) => accessBlock(wanted, block)),
    onKnown("policy", actual.policy, (policy) => policyDecision(wanted.policy, policy, place)),
    onKnown("ownership", actual.ownership, (ownership) => {
      const to = "BucketOwnerEnforced";
      if (ownership === to) return { kind: "ok", to };
      // Without the setting ACLs count; switching them off is a change for whoever relies on one.
      return {
        kind: "change",
        from: ownership ?? "ObjectWriter",
        to,
        mayCloseOff: true,
        write: { do: "enforce-ownership" },
      };
    }),
    onKnown("versioning", actual.versioning, (versioning) => {
      if (versioning === "Enabled") return { kind: "ok", to: "Enabled" };
      const write: Write = { do: "enable-versioning" };
      if (versioning === undefined) return { kind: "add", to: "Enabled", write };
      return { kind: "change", from: versioning, to: "Enabled", write };
    }),
    onKnown("encryption", actual.encryption, (encryption) =>
      // Keys of KMS are no less.
      encryption === undefined
        ? { kind: "add", to: "AES256", write: { do: "enable-encryption" } }
        : { kind: "ok", to: encryption },
    ),
    onKnown("lifecycle", actual.lifecycle, (lifecycle) => {
      const missing = missingRules(lifecycle ?? { rules: [] }, wanted.lifecycle);
      const to = wanted.lifecycle.map(ruleText).join(", ");
      if (missing.length === 0) return { kind: "ok", to };
      const write: Write = { do: "write-lifecycle", lifecycle: mergedLifecycle(lifecycle, wanted.lifecycle) };
      if (lifecycle === undefined) return { kind: "add", to, write };
      return { kind: "change", from: `lacks ${missing.map(({ id }) => id).join(", ")}`, to, write };
    }),
    onKnown("cors", actual.cors, (cors) => {
      const missing = missingCors(cors ?? [], wanted.cors);
      const to = wanted.cors.map(corsText).join("; ");
      if (missing.length === 0) return { kind: "ok", to };
      const write: Write = { do: "write-cors", rules: mergedCors(cors ?? [], missing) };
      if (cors === undefined) return { kind: "add", to, write };
      return { kind: "change", from: `lacks ${missing.map(({ id }) => id).join(", ")}`, to, write };
    }),
    ...(wanted.inventory === undefined
      ? []
      : [onKnown("inventory", actual.inventories, inventoryDecision(wanted.inventory))]),
  ];
}

const needsTls = { isMinor: true, remedy: "only a server with an https:// endpoint can demand TLS" } as const;

function policyDecision(
  wanted: readonly PolicyStatement[],
  stored: PolicyDocument | undefined,
  { isPlainHttp }: Place,
): Omit<Decision, "aspect"> {
  const to = wanted.map(({ Sid }) => Sid).join(", ");
  const missing = stored === undefined ? wanted : missingStatements(stored, wanted);
  if (missing.length === 0) return { kind: "ok", to };
  const write: Write = {
    do: "write-policy",
    policy: mergedPolicy(stored, wanted),
    ...(isPlainHttp
      ? {
          withoutTls: mergedPolicy(
            stored,
            wanted.filter((statement) => !isTlsOnly(statement)),
          ),
        }
      : {}),
  };
  const minor = isPlainHttp && missing.every(isTlsOnly) ? needsTls : {};
  if (stored === undefined) return { kind: "add", to, write, ...minor };
  return { kind: "change", from: `lacks ${missing.map(({ Sid }) => Sid).join(", ")}`, to, write, ...minor };
}

function accessBlock(
  { publicAccessBlock: wanted }: BucketDeclaration,
  stored: PublicAccessBlock | undefined,
): Omit<Decision, "aspect"> {
  const to = blockText(wanted);
  const write: Write = { do: "write-public-access-block", block: wanted };
  const isNew = (flag: keyof PublicAccessBlock) => wanted[flag] && stored?.[flag] !== true;
  const closes = isNew("ignorePublicAcls") || isNew("blockPublicAcls") || isNew("restrictPublicBuckets");
  const more = closes ? { write, mayCloseOff: true as const } : { write };
  if (stored === undefined) return { kind: "add", to, ...more };
  if (blockText(stored) === to) return { kind: "ok", to };
  return { kind: "change", from: blockText(stored), to, ...more };
}

function blockText(block: PublicAccessBlock): string {
  const { blockPublicAcls, ignorePublicAcls, blockPublicPolicy, restrictPublicBuckets } = block;
  const flags = { blockPublicAcls, ignorePublicAcls, blockPublicPolicy, restrictPublicBuckets };
  const on = Object.entries(flags).flatMap(([flag, isOn]) => (isOn ? [flag] : []));
  return on.length === 4 ? "all blocked" : on.length === 0 ? "nothing blocked" : on.join(", ");
}

const readPermissions: Readonly<Partial<Record<Aspect, string>>> = {
  "public access block": "s3:GetBucketPublicAccessBlock",
  policy: "s3:GetBucketPolicy",
  ownership: "s3:GetBucketOwnershipControls",
  versioning: "s3:GetBucketVersioning",
  encryption: "s3:GetEncryptionConfiguration",
  lifecycle: "s3:GetLifecycleConfiguration",
  cors: "s3:GetBucketCORS",
  inventory: "s3:GetInventoryConfiguration",
};

function onKnown<T>(
  aspect: Aspect,
  seen: Seen<T>,
  decide: (value: T | undefined) => Omit<Decision, "aspect">,
): Decision {
  if (seen === "unsupported") return { aspect, kind: "note", to: "this server does not know the setting" };
  if (seen === "denied") {
    return {
      aspect,
      kind: "problem",
      to: "this identity may not read it",
      remedy: `allow ${readPermissions[aspect] ?? "reading it"}`,
    };
  }
  return { aspect, ...decide(seen) };
}
