import { toleratesTlsDemand, writePolicy } from "../aws/s3/bucket-policy.ts";
import {
  enableEncryption,
  enableVersioning,
  enforceOwnership,
  writeCors,
  writeLifecycle,
  writePublicAccessBlock,
} from "../aws/s3/bucket-settings.ts";
import { createBucket } from "../aws/s3/bucket.ts";
import type { Aws } from "../aws/clients.ts";
import { scaleTable } from "../aws/autoscaling/table-scaling.ts";
import { putAlarm } from "../aws/cloudwatch/alarms.ts";
import { orderInventory } from "../aws/s3/inventory.ts";
import { isAnswer, isUnsupported, type WaitOptions } from "../aws/setting.ts";
import { enableExpiry } from "../aws/dynamodb/table-expiry.ts";
import { enableRecovery } from "../aws/dynamodb/table-recovery.ts";
import {
  addIndex,
  createTable,
  protectFromDeletion,
  switchToOnDemand,
} from "../aws/dynamodb/table-settings.ts";
import { provision } from "../aws/dynamodb/provision.ts";
import { CliError } from "../errors.ts";
import { dueSteps, type DatabaseWrite, type SetupPlan, type Step, type Write } from "./step.ts";

/** `skipped`: its bucket or table could not be made. `unsupported`: the server does not know the setting. */
type StepResult = "started" | "done" | "failed" | "skipped" | "unsupported";

export interface SetupResult {
  readonly done: readonly Step[];
  readonly failed: readonly { readonly step: Step; readonly error: unknown }[];
  readonly skipped: readonly Step[];
  readonly unsupported: readonly Step[];
}

export interface ApplyOptions extends WaitOptions {
  /** Also carries out the steps of kind `change`. */
  readonly fix: boolean;
  readonly onStep?: (step: Step, result: StepResult) => void;
  /** Carries out what concerns a database. */
  readonly writeDatabase?: (write: DatabaseWrite) => Promise<void>;
}

/**
 * Carries out exactly the plan's steps, one after the other. A step that the service refuses is collected, and the
 * others go on; without network or credentials, and on abort, it rejects. Interrupted at any point, a new plan holds
 * what is left.
 */
export async function applySetup(aws: Aws, plan: SetupPlan, options: ApplyOptions): Promise<SetupResult> {
  const { fix, onStep, signal } = options;
  const result = {
    done: [] as Step[],
    failed: [] as { step: Step; error: unknown }[],
    skipped: [] as Step[],
    unsupported: [] as Step[],
  };
  const notMade = new Set<string>();
  for (const step of dueSteps(plan, fix)) {
    signal?.throwIfAborted();
    const resource = `${step.resource} ${step.name}`;
    if (notMade.has(resource)) {
      result.skipped.push(step);
      onStep?.(step, "skipped");
      continue;
    }
    onStep?.(step, "started");
    try {
      const isWhole = step.write === undefined || (await carryOut(aws, step.name, step.write, options));
      result[isWhole ? "done" : "unsupported"].push(step);
      onStep?.(step, isWhole ? "done" : "unsupported");
    } catch (error) {
      if (isUnsupported(error)) {
        result.unsupported.push(step);
        onStep?.(step, "unsupported");
        continue;
      }
      if (!isAnswer(error) && !(error instanceof CliError)) throw error;
      if (step.kind === "create") notMade.add(resource);
      result.failed.push({ step, error });
      onStep?.(step, "failed");
    }
  }
  return result;
}

/** Whether the whole of it could be written. */
async function carryOut(aws: Aws, name: string, write: Write, wait: ApplyOptions): Promise<boolean> {
  if (write.do === "write-policy") return carryOutPolicy(aws, name, write, wait);
  if (write.do === "create-database" || write.do === "run-statement" || write.do === "insert-rows") {
    await wait.writeDatabase?.(write);
    return true;
  }
  await carryOutSetting(aws, name, write, wait);
  return true;
}

/** Over plain HTTP a demand for TLS would lock out everybody, this tool first: it is left out where it would count. */
async function carryOutPolicy(
  aws: Aws,
  name: string,
  { policy, withoutTls }: Write & { do: "write-policy" },
  wait: WaitOptions,
): Promise<boolean> {
  const isWhole = withoutTls === undefined || (await toleratesTlsDemand(aws, name, withoutTls));
  await writePolicy(aws, name, isWhole ? policy : withoutTls, wait);
  return isWhole;
}

async function carryOutSetting(
  aws: Aws,
  name: string,
  write: Exclude<Write, DatabaseWrite | { do: "write-policy" }>,
  wait: WaitOptions,
): Promise<void> {
  switch (write.do) {
    case "create-bucket":
      return createBucket(aws, name, wait);
    case "write-public-access-block":
      return writePublicAccessBlock(aws, name, write.block, wait);
    case "enforce-ownership":
      return enforceOwnership(aws, name, wait);
    case "enable-versioning":
      return enableVersioning(aws, name, wait);
    case "enable-encryption":
      return enableEncryption(aws, name, wait);
    case "write-lifecycle":
      return writeLifecycle(aws, name, write.lifecycle, wait);
    case "write-cors":
      return writeCors(aws, name, write.rules, wait);
    case "order-inventory":
      return orderInventory(aws, name, { order: write.order, wait });
    case "create-table":
      return createTable(aws, { ...write, name }, wait);
    case "switch-to-on-demand":
      return switchToOnDemand(aws, name, wait);
    case "scale-capacity":
      await provision(aws, { name, capacity: write.capacity }, wait);
      return scaleTable(aws, { ...write, table: name }, wait.signal);
    case "protect-from-deletion":
      return protectFromDeletion(aws, name, wait);
    case "add-index":
      return addIndex(aws, name, write.index, wait);
    case "enable-expiry":
      return enableExpiry(aws, name, write.attribute);
    case "enable-recovery":
      await enableRecovery(aws, name, write.days, wait);
      return;
    case "put-alarm":
      return putAlarm(aws, write.alarm, wait.signal);
  }
}
