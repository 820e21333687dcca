import { noAudit } from "../../audit/audit.ts";
import { trailOf } from "../../audit/place.ts";
import type { AuditTrail, TrailOptions } from "../../audit/trail.ts";
import type { Config } from "../../config/config.ts";
import type { Context } from "../../context.ts";
import { CliError } from "../../errors.ts";
import { modelText } from "../../model/hash.ts";
import { version } from "../../version.ts";
import type { World } from "../../world.ts";

interface Opened {
  readonly context: Context;
  readonly config: Config;
  readonly world: World;
}

/**
 * Opens the trail for a command that is about to change something; what the services answer against it ends the command
 * here. A dry run and `audit: off` get a trail that keeps nothing and asks nothing.
 */
export async function openAudit(
  opened: Opened,
  { actor, ...telling }: Pick<TrailOptions, "begins" | "warn"> & { readonly actor: () => Promise<string> },
): Promise<AuditTrail> {
  const { context, config, world } = opened;
  if (config.dryRun || config.audit === "off") return noAudit;
  const place = trailOf(context);
  const { openTrail } = await import("../../audit/trail.ts");
  const explained = async (error: unknown) => {
    const { explain } = await import("../../aws/explain/explain.ts");
    return explain(error, {
      profile: config.profile,
      region: config.region,
      endpointUrl: place.aws.endpointUrl,
    });
  };
  const auditEntries = config.retention.auditEntries;
  const asked = actor();
  const writer = {
    actor: asked,
    userAgent: `mawps/${version} node/${world.nodeVersion} ${world.platform} model/${modelText(config.site)}`,
    // A model need not let them end.
    retentionDays: typeof auditEntries === "number" ? auditEntries : farAway,
    now: () => world.now(),
    newId: () => crypto.randomUUID(),
  };
  try {
    const beside =
      config.siteAudit === "on" ? (await import("../../audit/site-trail.ts")).siteWriter(context) : undefined;
    const onWritten = beside?.put;
    const isBucketChosen = config.anchorBucket !== undefined;
    const trail = await openTrail(place, writer, {
      explain: explained,
      onWritten,
      isBucketChosen,
      ...telling,
    });
    if (beside === undefined) return trail;
    return {
      ...trail,
      async settle() {
        await Promise.all([
          trail.settle(),
          beside.settle().catch((error: unknown) => {
            const why = error instanceof Error ? error.message : String(error);
            telling.warn(`not all of it stands in the site's own trail: ${why}`);
          }),
        ]);
      },
    };
  } catch (error) {
    // Where nobody could say who is at work, that is told as it is.
    await asked;
    const { errorName, isAnswer } = await import("../../aws/setting.ts");
    const withoutIt = 'Without a trail: MAWPS_AUDIT=off, or "audit": "off" in the configuration.';
    if (errorName(error) === "ValidationException") {
      const keys = `table ${place.table} has not the keys of an audit trail`;
      throw new CliError(`nothing was changed: ${keys}`, {
        hint: `mawps doctor shows them. ${withoutIt}`,
        cause: error,
      });
    }
    const known = isAnswer(error) ? await explained(error) : undefined;
    if (known === undefined) throw error;
    throw new CliError(`nothing was changed: the audit trail cannot be written: ${known.message}`, {
      hint: known.hint === undefined ? withoutIt : `${known.hint} ${withoutIt}`,
      cause: error,
    });
  }
}

/** A thousand years: DynamoDB's TTL wants a number. */
const farAway = 365_250;
