/** A digital twin as the website keeps it in the browser. */
export function sampleTwin(): object {
  return {
    personality: {
      traits: "neugierig, ruhig",
      values: "Klarheit",
      philosophy: "Erst zuhören.",
      communicationStyle: "knapp",
    },
    experience: {
      anecdotes: "Das erste Projekt.",
      insights: "Menschen zuerst.",
      methods: "Ikigai",
      stories: "Der Umzug.",
    },
    communication: {
      samples: "Gern.",
      phrases: "Was wäre wenn?",
      patterns: "Frage, Bild, Schritt",
      questions: "Wozu?",
    },
    analytics: {
      progress: 75,
      personalityScore: 85,
      anecdotesCount: 1,
      insightsCount: 1,
      lastTraining: "2026-11-16T10:00:00.000Z",
    },
  };
}
