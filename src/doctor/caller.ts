import { told, type About, type DoctorFinding } from "./finding.ts";

/** Who the credentials belong to, as AWS says. */
export interface Caller {
  readonly account: string;
  readonly arn: string;
  /** End of temporary credentials. */
  readonly expiresAt?: Date;
  /** The local clock minus the server's, in milliseconds. */
  readonly clockSkewMs?: number;
}

const minuteMs = 60_000;

/**
 * | credentials end        | clock is off by        | finding |
 * |------------------------|------------------------|---------|
 * | never, or in >= 1 hour | at most 1 minute       | ok      |
 * | in less than 1 hour    | more than 1 minute     | warning |
 * | already                | more than 5 minutes    | problem |
 */
export function callerFindings(caller: Caller, now: Date): DoctorFinding[] {
  return [credentialsFinding(caller, now), ...clockFindings(caller)];
}

function credentialsFinding({ account, arn, expiresAt }: Caller, now: Date): DoctorFinding {
  const finding: About = { check: "credentials", subject: arn };
  if (expiresAt === undefined) return { ...finding, status: "ok", message: `account ${account}` };
  const leftMs = expiresAt.getTime() - now.getTime();
  const at = expiresAt.toISOString();
  const left = duration(leftMs);
  if (leftMs <= 0) return { ...finding, ...told("problem", "credentials-ended", { at }) };
  if (leftMs < 60 * minuteMs)
    return { ...finding, ...told("warning", "credentials-ending", { account, at, left }) };
  return { ...finding, status: "ok", message: `account ${account}, until ${at} (${left} left)` };
}

/** AWS refuses requests that are more than five minutes off (S3: fifteen). */
function clockFindings({ clockSkewMs }: Caller): DoctorFinding[] {
  if (clockSkewMs === undefined) return [];
  const offMs = Math.abs(clockSkewMs);
  const finding: About = { check: "clock", subject: "this computer" };
  if (offMs <= minuteMs)
    return [{ ...finding, status: "ok", message: `within ${Math.ceil(offMs / 1000)} s of AWS` }];
  const status = offMs > 5 * minuteMs ? "problem" : "warning";
  return [{ ...finding, ...told(status, "clock-off", { off: duration(offMs), isAhead: clockSkewMs > 0 }) }];
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / minuteMs);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h`;
}
