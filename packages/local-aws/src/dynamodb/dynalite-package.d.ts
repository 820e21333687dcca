// The inner modules of dynalite 4.0.0 that dynalite.ts calls. The package ships no types; dynalite.ts gives them.

declare module "dynalite/db/index.js" {
  const db: unknown;
  export = db;
}

declare module "dynalite/validations/*" {
  const validation: unknown;
  export = validation;
}

declare module "dynalite/actions/*" {
  const action: unknown;
  export = action;
}
