/** Variables whose values must never be shown. */
const secretVariables = [
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "MAWPS_BACKUP_PASSPHRASE",
  "MAWPS_AUDIT_KEY",
] as const;

/** What signs a request, as it stands in a header, an address, or a server's echo of either. */
const signed =
  /(x-amz-security-token|x-amz-signature|signature|x-amz-credential)(["']?\s*[=:]\s*["']?)[^\s"'&,;<>[\]]+/gi;

/** The same in any other notation: lists, XML, and what is escaped for JSON, HTML or an address once more. */
const signedElsewhere =
  /(x-amz-(?:security-token|signature|credential))((?:&#?\w+;|%[0-9a-f]{2}|\\u00\w\w|[^\w+/%]){1,16})(?:[\w+/=%-]|\\\/|\\u00\w\w|&#\w+;){16,}/gi;

/** Whom an address names before its host, and the password, which may hold an `@` itself; not what hints have in its place. */
const userInfo = /(:\/\/)(?!user:password@host[/:])[^\s/?#"']+@/g;

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
    .replaceAll(signedElsewhere, "$1$2***")
    .replaceAll(signed, (_all, name: string, between: string) => `${name}${between}***`);
}
