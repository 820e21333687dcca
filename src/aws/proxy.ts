import { CliError, exitCodes } from "../errors.ts";

/** Variables of the environment. */
export type Env = Readonly<Record<string, string | undefined>>;

interface Destination {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
}

/**
 * The proxy for a server; undefined where it is reached directly. As in the aws-cli: `HTTPS_PROXY` for https, `HTTP_PROXY` for http, in
 * lower case first; `NO_PROXY` lists hosts, domains with all that is below them, `host:port`, or `*`. Never for this machine itself.
 * @throws CliError (usage) when the variable holds no URL of a proxy.
 */
export function proxyFor({ protocol, hostname, port }: Destination, env: Env): URL | undefined {
  const isSecure = protocol === "https:";
  const [name, value] = firstOf(isSecure ? "https_proxy" : "http_proxy", env);
  if (name === undefined || value === undefined) return undefined;
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (isThisMachine(host)) return undefined;
  if (isExcepted({ host, port: port ?? (isSecure ? 443 : 80) }, firstOf("no_proxy", env)[1] ?? "")) {
    return undefined;
  }
  const url = urlOf(value);
  if (url === undefined) {
    throw new CliError(`${name}: expected the URL of a proxy, http:// or https://`, {
      exitCode: exitCodes.usage,
    });
  }
  return url;
}

/** What the environment says of proxies, each by the variable that counts. */
export interface ProxySettings {
  readonly proxies: readonly {
    readonly variable: string;
    readonly scheme: "https" | "http";
    /** Without user name and password; undefined where the variable holds no URL of a proxy. */
    readonly shownUrl: string | undefined;
  }[];
  /** What is reached directly. */
  readonly excepted: { readonly variable: string; readonly hosts: string } | undefined;
}

/** The proxies that the environment names, to be shown to a person. */
export function proxySettings(env: Env): ProxySettings {
  const proxies = (["https", "http"] as const).flatMap((scheme) => {
    const [variable, value] = firstOf(`${scheme}_proxy`, env);
    if (variable === undefined || value === undefined) return [];
    const url = urlOf(value);
    const user = url !== undefined && (url.username !== "" || url.password !== "") ? "***@" : "";
    return [{ variable, scheme, shownUrl: url && `${url.protocol}//${user}${url.host}` }];
  });
  const [variable, hosts] = firstOf("no_proxy", env);
  return {
    proxies,
    excepted: variable === undefined || hosts === undefined ? undefined : { variable, hosts },
  };
}

/** A proxy is reached by http or https alone; without a scheme it is http. */
function urlOf(value: string): URL | undefined {
  const text = value.includes("://") ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) ? url : undefined;
}

/** The variable that is set, by its name in lower or upper case. */
function firstOf(name: string, env: Env): [name?: string, value?: string] {
  for (const variable of [name, name.toUpperCase()]) {
    const value = env[variable]?.trim();
    if (value !== undefined && value !== "") return [variable, value];
  }
  return [];
}

/** Whether a host name, without brackets, is that of this machine. */
export function isThisMachine(host: string): boolean {
  return (
    host === "localhost" || host.endsWith(".localhost") || host === "::1" || /^127(\.\d+){3}$/.test(host)
  );
}

function isExcepted({ host, port }: { host: string; port: number }, list: string): boolean {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === "") return false;
      if (entry === "*") return true;
      const [, name = "", onlyPort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry) ?? [];
      if (onlyPort !== undefined && Number(onlyPort) !== port) return false;
      const domain = name.replace(/^\*?\./, "");
      return host === domain || host.endsWith(`.${domain}`);
    });
}
