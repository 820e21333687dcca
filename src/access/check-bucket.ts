import { readPolicy, type PolicyDocument, type StoredStatement } from "../aws/s3/bucket-policy.ts";
import { readPublicAccessBlock } from "../aws/s3/bucket-settings.ts";
import type { Aws } from "../aws/clients.ts";
import type { Reading } from "../aws/setting.ts";
import { attempts } from "../doctor/attempts.ts";
import type { Finding } from "../doctor/finding.ts";
import type { CliError } from "../errors.ts";
import type { BucketDeclaration, Declaration, PublicAccessBlock } from "../model/declaration.ts";
import { judge, type JudgedPolicy } from "./evaluate.ts";

interface Looking {
  readonly aws: Aws;
  readonly explain: (error: unknown) => CliError | undefined;
  readonly signal: AbortSignal;
}

/** Who the site's buckets let in, against what the model says; one that cannot be looked at is a finding. */
export async function bucketsFindings(
  { buckets }: Declaration,
  { aws, explain, signal }: Looking,
): Promise<Finding[]> {
  const { attempt } = attempts({ signal, explain });
  const isPlainHttp = aws.endpointUrl?.startsWith("http:") === true;
  // Of a bucket that the site makes for itself nothing is declared.
  const declared = buckets.filter(({ keptBy }) => keptBy !== "site");
  const found = await Promise.all(
    declared.map((bucket) =>
      attempt({ check: "bucket", subject: bucket.name }, async () =>
        bucketFindings(bucket, await readBucketAccess(aws, bucket.name, signal), isPlainHttp),
      ),
    ),
  );
  return found.flat();
}

/** Who a bucket lets in, as its settings say. */
export interface BucketAccess {
  readonly policy: Reading<PolicyDocument>;
  readonly block: Reading<PublicAccessBlock>;
}

async function readBucketAccess(aws: Aws, bucket: string, signal: AbortSignal): Promise<BucketAccess> {
  const [policy, block] = await Promise.all([
    readPolicy(aws, bucket, signal),
    readPublicAccessBlock(aws, bucket, signal),
  ]);
  return { policy, block };
}

/**
 * Judges who a bucket lets in against what the model says. Pure.
 *
 * | found                                                  | finding                                    |
 * |--------------------------------------------------------|--------------------------------------------|
 * | plain HTTP is not turned away                          | problem; skipped where the server has none |
 * | anybody is let in beyond what is declared open         | problem; warning while the block holds it  |
 * | anybody is let in there under a condition              | warning                                    |
 * | somebody is let do everything, or all but a few things | problem                                    |
 * | the block on public access is not as declared          | problem                                    |
 */
export function bucketFindings(
  wanted: BucketDeclaration,
  { policy, block }: BucketAccess,
  isPlainHttp: boolean,
): Finding[] {
  const about = { check: "bucket", subject: wanted.name };
  if (policy === "unsupported")
    return [{ ...about, status: "skipped", message: "the server keeps no policies of buckets" }];
  const statements = policy?.Statement ?? [];
  const isHeld = typeof block === "object" && block.restrictPublicBuckets;
  const found = [
    ...blockFindings(wanted, block),
    ...tlsFindings(wanted, statements, isPlainHttp),
    ...statements.flatMap((statement) => statementFindings(wanted, statement, isHeld)),
  ];
  if (found.length > 0) return found;
  const open = wanted.policy.filter(({ Effect }) => Effect === "Allow").flatMap(({ Resource }) => Resource);
  const message =
    open.length === 0 ? "closed to the public" : `anybody may read ${open.join(", ")}, as declared`;
  return [{ ...about, status: "ok", message }];
}

const remedy = "mawps setup --fix";

function blockFindings(
  { name, publicAccessBlock }: BucketDeclaration,
  block: BucketAccess["block"],
): Finding[] {
  if (block === "unsupported") return [];
  const missing = (Object.keys(publicAccessBlock) as (keyof PublicAccessBlock)[]).filter(
    (key) => publicAccessBlock[key] && block?.[key] !== true,
  );
  if (missing.length === 0) return [];
  const message = `public access is not blocked: ${missing.join(", ")}`;
  return [{ check: "public access", subject: name, status: "problem", message, remedy }];
}

/** Asks for a thing in the bucket, and for the bucket, as somebody would without TLS. */
function tlsFindings(
  { name }: BucketDeclaration,
  statements: readonly StoredStatement[],
  isPlainHttp: boolean,
): Finding[] {
  // What leaves somebody out turns not everybody away.
  const forAll = statements.filter((statement) => isEverybody(statement) && !("NotPrincipal" in statement));
  const context = { "aws:SecureTransport": "false" };
  const arn = `arn:aws:s3:::${name}`;
  const isDenied = [
    ["s3:GetObject", `${arn}/any`],
    ["s3:PutObject", `${arn}/any`],
    ["s3:ListBucket", arn],
  ].every(([action = "", resource = ""]) => denies(forAll, { action, resource, context }));
  if (isDenied) return [];
  const message = "requests without TLS are not turned away";
  return [
    isPlainHttp
      ? {
          check: "TLS",
          subject: name,
          status: "skipped",
          message: `${message}: the server speaks plain HTTP`,
        }
      : { check: "TLS", subject: name, status: "problem", message, remedy },
  ];
}

function statementFindings(
  wanted: BucketDeclaration,
  statement: StoredStatement,
  isHeld: boolean,
): Finding[] {
  const { Effect, Sid, Condition, NotAction, NotResource } = statement as Readonly<Record<string, unknown>>;
  if (Effect !== "Allow") return [];
  const about = { check: "policy", subject: `${wanted.name}${typeof Sid === "string" ? ` ${Sid}` : ""}` };
  const change = { remedy: `change this statement: aws s3api get-bucket-policy --bucket ${wanted.name}` };
  const actions = texts(statement["Action"]);
  const found: Finding[] = [];
  const isAll = NotAction !== undefined || NotResource !== undefined || actions.some(isStar);
  if (isAll)
    found.push({
      ...about,
      ...change,
      status: "problem",
      message: "lets somebody do everything, or all but a few things",
    });
  if (!isEverybody(statement)) return found;
  const open = { Statement: wanted.policy };
  const beyond =
    NotAction !== undefined || NotResource !== undefined
      ? ["all but a few things"]
      : actions.flatMap((action) =>
          texts(statement["Resource"])
            .filter((resource) => judge([open], { action, resource }) !== "allowed")
            .map((resource) => `${action} on ${resource}`),
        );
  if (beyond.length === 0) return found;
  const who = `anybody may ${beyond.join(", ")}`;
  if (Condition !== undefined && Object.keys(Condition as object).length > 0)
    found.push({ ...about, ...change, status: "warning", message: `${who} under a condition` });
  else if (isHeld)
    found.push({ ...about, ...change, status: "warning", message: `${who}, were public access not blocked` });
  else found.push({ ...about, ...change, status: "problem", message: who });
  return found;
}

/** `*`, `s3:*`. */
export function isStar(action: string): boolean {
  return /^(\*|[\w-]+:\*)$/.test(action);
}

/** Whom a statement is about: whoever asks. All but somebody is that, too. */
function isEverybody(statement: StoredStatement): boolean {
  const { Principal, NotPrincipal } = statement as Readonly<Record<string, unknown>>;
  if (NotPrincipal !== undefined || Principal === "*") return true;
  return typeof Principal === "object" && Principal !== null && Object.values(Principal).flat().includes("*");
}

/** A statement with a condition that nobody here knows turns nobody away for sure. */
function denies(statements: readonly StoredStatement[], request: Parameters<typeof judge>[1]): boolean {
  return statements.some((statement) => {
    try {
      return judge([{ Statement: [statement] } as unknown as JudgedPolicy], request) === "denied";
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return false;
    }
  });
}

function texts(value: unknown): string[] {
  return [value].flat().filter((each) => typeof each === "string");
}
