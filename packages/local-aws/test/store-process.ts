// A process of its own for the tests of the store: node store-process.js <folder> <task> [argument]
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { setTimeout as sleep } from "node:timers/promises";
import { openStore } from "../src/store.ts";
import { clientOf, makeTable } from "./dynamodb-client.ts";

const [, , dir = "", task = "", argument = ""] = process.argv;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function run(): Promise<void> {
  const store = await openStore(dir, { region: "eu-central-1", now: () => new Date() });
  say("open");
  if (task === "hold") {
    // Until it is killed.
    await sleep(600_000);
  } else if (task === "log") {
    // Two of these must never be at it at once.
    for (let step = 0; step < 5; step++) {
      say(`step ${String(Date.now())}`);
      await sleep(20);
    }
  } else if (task === "write") {
    const client = clientOf(await store.dynamodb(), store.credentials);
    if (argument === "0") await makeTable(client, "things");
    for (let number = Number(argument); ; number++) {
      const group = `group-${String(number % 3)}`;
      const item = {
        pk: { S: `item-${String(number % 50)}` },
        group: { S: group },
        n: { N: String(number) },
      };
      await client.send(new PutItemCommand({ TableName: "things", Item: item }));
      say(`wrote ${String(number)}`);
    }
  }
  await store.close();
}

void run();
