import type { Language } from "../../model/sentences.ts";

/** What is looked at, by its English name. */
const checks = {
  alarm: "Alarm",
  alarms: "Alarme",
  "audit trail": "Protokoll",
  backup: "Sicherung",
  "backup drill": "Probe der Sicherung",
  bucket: "Bucket",
  clock: "Uhr",
  credentials: "Zugangsdaten",
  database: "Datenbank",
  images: "Bilder",
  index: "Index",
  migrations: "Migrationen",
  network: "Netz",
  node: "Node.js",
  privacy: "Vertraulichkeit",
  store: "Ablage",
  table: "Tabelle",
  "table shape": "Form der Tabelle",
  uploads: "Uploads",
  "user pool": "Nutzerkonten",
  "virus scan": "Virenprüfung",
} as const;

/** What a check is of, where it has no name of its own. */
const places = {
  "objects that are open by their ACL": "Objekte, die durch ihre ACL offen sind",
  repository: "Ort der Sicherungen",
  "this computer": "dieser Rechner",
} as const;

/** What a site's model expects to be there, in the words of the model. */
export type Expectation = string & { readonly isOfTheModel: true };

export type CheckName = keyof typeof checks | Expectation;

/** Of MAWPS's own model; what another one expects has the name that it gives it. */
const expectations: Readonly<Record<string, string>> = {
  "hero image": "Titelbild",
  "hero images": "Titelbilder",
  "hover image": "Bild unter der Maus",
};

/** The name of a check or a place. Pure. */
export function nameIn(language: Language, name: string): string {
  const german: Readonly<Record<string, string>> = { ...expectations, ...places, ...checks };
  return language === "de" && Object.hasOwn(german, name) ? (german[name] ?? name) : name;
}
