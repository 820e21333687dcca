import { Command } from "@commander-js/extra-typings";
import { isRecord } from "../../model/json.ts";
import { secretsMasked } from "../../model/secrets.ts";
import { twinSections, type Twin } from "../../model/twin.ts";
import { bytes } from "../../model/bytes.ts";
import { facts } from "../../output/table.ts";
import { visible } from "../../output/text.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { TwinState } from "../../site/twin/store.ts";
import { configuredSite } from "../../target.ts";
import { storedTime } from "../stored-time.ts";
import { excerpt } from "./changes.ts";
import { currentTwin } from "./current.ts";

/** `mawps twin show`: the current state; with `--json` exactly the twin's object. */
export function twinShow(begin: Begin): AnyCommand {
  return new Command("show")
    .description("show the stored twin; --json prints it whole")
    .addHelpText("after", "\nExample:\n  mawps twin show --json | jq -r .personality.traits")
    .action(async (_options, command) => {
      const run = await begin(command as AnyCommand);
      const { readTwin } = await import("../../site/twin/store.ts");
      const read = await readTwin(await run.context("reads"));
      const current = currentTwin(read);
      const value = secretsMasked(configuredSite(run.config).secrets, current.value) as Twin;
      await run.print(value, () => asText({ ...current, value }, read.place.table));
    });
}

function asText({ value, version, updatedAt, bytes: size }: TwinState, table: string): string {
  const known: readonly string[] = twinSections;
  const names = [...known, ...Object.keys(value).filter((name) => !known.includes(name))];
  const rows = names.flatMap((name): [string, string][] => {
    const field = value[name];
    if (field === undefined) return [[name, "none"]];
    if (!isRecord(field)) return [[visible(name), excerpt(field)]];
    return Object.entries(field).map(([inner, content]) => [visible(`${name}.${inner}`), excerpt(content)]);
  });
  return facts([
    ["version", `${version} in ${table}, ${bytes(size)}`],
    ["stored", updatedAt === undefined ? undefined : visible(storedTime(updatedAt))],
    ...rows,
  ]);
}
