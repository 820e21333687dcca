import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { Aws } from "../../src/aws/clients.ts";
import { typed } from "../../src/aws/dynamodb/plain.ts";
import { twinHistoryType, twinType } from "../../src/model/twin.ts";

/** A twin that nothing is wrong with. */
export const soundTwin = {
  personality: { traits: "neugierig", values: "Offenheit", philosophy: "fragen", communicationStyle: "klar" },
  experience: { anecdotes: "eins\n\nzwei", insights: "drei", methods: "vier", stories: "fünf" },
  communication: { samples: "a", phrases: "b", patterns: "c", questions: "d?" },
  analytics: {
    progress: 75,
    personalityScore: 85,
    anecdotesCount: 2,
    insightsCount: 1,
    lastTraining: "2025-11-16T10:00:00.000Z",
  },
};

/** Stores two versions of a twin: one in the history and the current one. */
export async function putTwoTwins(aws: Aws, table: string): Promise<void> {
  const dynamodb = await aws.dynamodb();
  const states = [
    { type: twinHistoryType(1), traits: "first" },
    { type: twinType, traits: "second" },
  ];
  for (const [at, { type, traits }] of states.entries()) {
    const digitalTwin = { ...soundTwin, personality: { traits } };
    const Item = {
      userId: { S: "owner" },
      type: { S: type },
      version: { N: String(at + 1) },
      digitalTwin: typed(digitalTwin),
    };
    await dynamodb.send(new PutItemCommand({ TableName: table, Item }));
  }
}
