import type { Model } from "./schema.ts";

/**
 * The models that travel with the program, by the names of the setting `model`. That they are models is held by a test, so that
 * no command waits for them to be checked.
 */
export const shippedModels: Readonly<Record<string, () => Promise<Model>>> = {
  mawps: async () => modelIn(await import("../../models/mawps.json", { with: { type: "json" } })),
  "prework-guide": async () =>
    modelIn(await import("../../models/prework-guide.json", { with: { type: "json" } })),
  prework: async () => modelIn(await import("../../models/prework.json", { with: { type: "json" } })),
  lopez: async () => modelIn(await import("../../models/lopez.json", { with: { type: "json" } })),
  fc024: async () => modelIn(await import("../../models/fc024.json", { with: { type: "json" } })),
};

/** Their SQL files, by the name that the model gives. */
export const shippedSchemas: Readonly<Record<string, () => Promise<string>>> = {
  "lopez.sql": async () => (await import("../../models/lopez.sql")).default,
  "fc024.sql": async () => (await import("../../models/fc024.sql")).default,
};

function modelIn(module: { readonly default: unknown }): Model {
  return module.default as Model;
}
