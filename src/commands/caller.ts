import type { Aws } from "../aws/clients.ts";
import type { CallerIdentity } from "../aws/sts.ts";
import type { Resolved } from "../config/config.ts";
import { mawpsModel } from "../model/mawps.ts";
import type { Access, Connection, World } from "../world.ts";

interface Caller extends Resolved {
  readonly access: Access;
  readonly caller: (aws: Aws) => Promise<CallerIdentity>;
}

/** The one line that tells where a command is about to work. On AWS a writing command asks AWS who it is. */
export async function targetLine(
  { aws, where }: Connection,
  { config, sources, access, caller }: Caller,
): Promise<string> {
  if (config.target === "local") {
    if (sources.target !== "default") return `local store ${where}`;
    // `init` asks for what MAWPS has.
    const how = config.site === mawpsModel ? "`mawps init` configures it" : "`--target aws` does";
    return `local store ${where} (nothing here touches AWS; ${how})`;
  }
  const profile = config.profile === undefined ? "" : `, profile ${config.profile}`;
  const name = config.name === undefined ? "" : `${config.name}: `;
  const at = where === "" ? "aws" : `aws ${where}`;
  if (access === "reads") return `${name}${at}, region ${config.region}${profile}`;
  const account = await orUnknown(aws, async () => (await caller(aws)).account);
  return `${name}${at}, account ${account}, region ${config.region}${profile}`;
}

/** Who is at work, for the audit trail. */
export async function actorOf(
  aws: Aws,
  { config, world, caller }: Pick<Caller, "config" | "caller"> & { world: World },
): Promise<string> {
  const { localActor } = await import("./audit/actor.ts");
  if (config.target === "local") return localActor(world);
  const arn = await orUnknown(aws, async () => (await caller(aws)).arn);
  return arn === "unknown" ? localActor(world) : arn;
}

/** A server that stands in for AWS need not speak STS; AWS itself does, and a failure there is the answer. */
export async function orUnknown(aws: Aws, ask: () => Promise<string>): Promise<string> {
  try {
    const answer = await ask();
    return answer === "" ? "unknown" : answer;
  } catch (error) {
    if (aws.endpointUrl === undefined || isAbort(error)) throw error;
    return "unknown";
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
