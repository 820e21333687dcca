import type { Finding } from "./finding.ts";

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
export function callerFindings(caller: Caller, now: Date): Finding[] {
  return [credentialsFinding(caller, now), ...clockFindings(caller)];
}

function credentialsFinding({ account, arn, expiresAt }: Caller, now: Date): Finding {
  const finding = { check: "credentials", subject: arn };
  const remedy = "sign in again: aws sso login, or whatever gave you these credentials";
  if (expiresAt === undefined) return { ...finding, status: "ok", message: `account ${account}` };
  const leftMs = expiresAt.getTime() - now.getTime();
  const end = expiresAt.toISOString();
  if (leftMs <= 0) return { ...finding, status: "problem", message: `ended at ${end}`, remedy };
  const message = `account ${account}, until ${end} (${duration(leftMs)} left)`;
  if (leftMs < 60 * minuteMs) return { ...finding, status: "warning", message, remedy };
  return { ...finding, status: "ok", message };
}

/** AWS refuses requests that are more than five minutes off (S3: fifteen). */
function clockFindings({ clockSkewMs }: Caller): Finding[] {
  if (clockSkewMs === undefined) return [];
  const offMs = Math.abs(clockSkewMs);
  const finding = { check: "clock", subject: "this computer" };
  if (offMs <= minuteMs)
    return [{ ...finding, status: "ok", message: `within ${Math.ceil(offMs / 1000)} s of AWS` }];
  return [
    {
      ...finding,
      status: offMs > 5 * minuteMs ? "problem" : "warning",
      message: `${duration(offMs)} ${clockSkewMs > 0 ? "ahead of" : "behind"} AWS`,
      remedy:
        "set the clock by the network: timedatectl set-ntp true (Windows: w32tm /resync; macOS: sntp -sS time.apple.com)",
    },
  ];
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / minuteMs);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h`;
}
