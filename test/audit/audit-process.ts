// A process of its own for the test of two writers: node audit-process.cjs <endpoint> <key> <secret> <name> <count>
import { openTrail } from "../../src/audit/trail.ts";
import { connect } from "../../src/aws/clients.ts";
import { defaultNames } from "../../src/model/mawps.ts";

const [, , endpointUrl = "", accessKeyId = "", secretAccessKey = "", name = "", count = ""] = process.argv;

async function run(): Promise<void> {
  const aws = connect({ region: "eu-central-1", endpointUrl, credentials: { accessKeyId, secretAccessKey } });
  const site = { aws, table: defaultNames.tables.auditLog, bucket: defaultNames.buckets.userFiles };
  const writer = {
    actor: `local:${name}`,
    userAgent: "mawps/0.1.0",
    retentionDays: 2557,
    now: () => new Date(),
    newId: () => crypto.randomUUID(),
  };
  const trail = await openTrail(site, writer, { explain: async () => undefined, warn() {} });
  process.stdout.write("open\n");
  // Both begin when both are there.
  await new Promise((resolve) => process.stdin.once("data", resolve));
  for (let number = 1; number <= Number(count); number += 1) {
    const event = { action: "document.uploaded", userId: name, details: { sizeBytes: number } } as const;
    if (number % 4 === 0) await trail.record([event, event, event]);
    else await trail.record(event);
  }
  await trail.settle();
  aws.close();
  process.stdin.destroy();
}

void run();
