// Telling of which template each of 1,000,000 keys is, among 50: on one core, at least 500,000 a second.
import { build } from "esbuild";
import { join } from "node:path";
import { median, report, root, temporaryFolder } from "./measure.mjs";

const count = 1_000_000;

export async function model() {
  const outfile = join(temporaryFolder(), "template.mjs");
  await build({
    entryPoints: [join(root, "src", "model", "template.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
  });
  const { classifier, parseTemplate } = await import(outfile);
  const forms = [
    (kind) => `kind-${kind}/users/{userId}/profile/avatar.png`,
    (kind) => `kind-${kind}/users/{userId}/uploads/{year}/{month}/{name}`,
    (kind) => `kind-${kind}/users/{userId}/uploads/temp/{fileId}.tmp`,
    (kind) => `kind-${kind}/users/teams/{teamId}/shared/{fileName}`,
    (kind) => `kind-${kind}/{timestampMs}-{random}.{ext}`,
  ];
  const templates = Array.from({ length: 50 }, (_, at) => forms[at % 5](Math.floor(at / 5)));
  const found = classifier(
    templates.map((text) => ({ template: parseTemplate(text, "object"), value: text })),
  );
  const keys = Array.from({ length: count }, (_, at) =>
    templates[at % 50].replaceAll(/\{\w+\}/g, () => `value${at}`),
  );
  const times = Array.from({ length: 5 }, () => {
    const started = process.hrtime.bigint();
    let known = 0;
    for (const key of keys) if (found.valueOf(key) !== undefined) known += 1;
    if (known !== count) throw new Error(`${known} of ${count} keys were known`);
    return Number(process.hrtime.bigint() - started) / 1e3 / count;
  });
  const perKey = median(times);
  console.log(`\nmodel, ${Math.round(1e6 / perKey).toLocaleString("en")} keys a second among 50 templates`);
  report("telling of which template a key is", perKey, 2, "µs");
}
