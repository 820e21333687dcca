/** A user's progress as the website keeps it in the browser. */
export function sampleProgress(): object {
  const page = (completionPercentage: number, visitCount: number) => ({
    firstVisit: "2026-11-02T18:00:00.000Z",
    lastVisit: "2026-11-16T19:30:00.000Z",
    visitCount,
    completed: completionPercentage === 100,
    completionPercentage,
  });
  return {
    pages: { ikigai: page(45, 3), mbti: page(100, 1), werte: page(80, 2) },
    sections: {},
    overallStats: { totalPages: 15, visitedPages: 3, completedPages: 1, completionPercentage: 7 },
  };
}
