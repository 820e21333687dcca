/** Variables whose values must never be shown. */
const secretVariables = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "MAWPS_BACKUP_PASSPHRASE"] as const;

/** What signs a request, as it stands in a header, an address, or a server's echo of either. */
const signed =
  /(x-amz-security-token|x-amz-signature|signature|x-amz-credential)(["']?\s*[=:]\s*["']?)[^\s"'&,;<>]+/gi;

/** Whom an address names before its host, and the password. */
const userInfo = /(:\/\/)[^\s/?#"'@]+@/g;

/** Shorter ones would be found in words that have nothing to do with them. */
const shortestSecret = 8;

/**
 * A text without passwords and without what signs requests: a server that echoes them puts the session token into its
 * errors, and a link that is signed opens for everybody.
 */
export function withoutSecrets(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const known = secretVariables.flatMap((name) => {
    const value = env[name];
    return value === undefined || value.length < shortestSecret ? [] : [value, encodeURIComponent(value)];
  });
  return known
    .reduce((rest, value) => rest.replaceAll(value, "***"), text)
    .replaceAll(userInfo, "$1***@")
    .replaceAll(signed, (_all, name: string, between: string) => `${name}${between}***`);
}
