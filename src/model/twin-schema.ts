import * as z from "zod";

const text = z.string("is not a text");
const percent = z.number("is not a number").min(0, "is below 0").max(100, "is above 100");
const count = z.int("is not a whole number").min(0, "is below 0");
const time = z.iso.datetime({
  offset: true,
  error: "is not a date and time such as 2025-11-16T10:00:00.000Z",
});

function section<const Shape extends z.ZodRawShape>(fields: Shape) {
  return z.looseObject(fields, "is not an object").partial().optional();
}

/**
 * The twin as the website writes it. Every field is optional (training starts with one of them) and fields that are
 * not named here are normal: they are kept, always.
 */
export const twinSchema = z.looseObject(
  {
    personality: section({ traits: text, values: text, philosophy: text, communicationStyle: text }),
    experience: section({ anecdotes: text, insights: text, methods: text, stories: text }),
    communication: section({ samples: text, phrases: text, patterns: text, questions: text }),
    analytics: section({
      progress: percent,
      personalityScore: percent,
      anecdotesCount: count,
      insightsCount: count,
      lastTraining: time,
    }),
    updatedAt: time.optional(),
  },
  "is not an object",
);
