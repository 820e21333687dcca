import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../../errors.ts";
import { mawpsModel } from "../../model/mawps.ts";
import { whyNoRetention } from "../../model/reach.ts";
import { paint, type Layout } from "../../output/layout.ts";
import { table, type Column } from "../../output/table.ts";
import { count, dollars, grouped, quantityText, visible } from "../../output/text.ts";
import type { CostLine, Due, Saving } from "../../usage/cost.ts";
import type { MeasuredCost } from "../../usage/measure-cost.ts";
import type { Price } from "../../usage/prices.ts";
import type { AnyCommand, Begin } from "../command.ts";
import type { Run } from "../run.ts";
import { doingBy, engineOption } from "./engine.ts";
import { tellOfInventories, tellWhatIsLeftOut } from "./left-out.ts";

/** `mawps storage cost`: what a month costs as things stand, and what could be saved. */
export function storageCost(begin: Begin): AnyCommand {
  return new Command("cost")
    .description("what a month costs as things stand, by dated list prices, and what could be saved")
    .option("--prices <file>", "prices of your own, before those that travel with mawps")
    .addOption(engineOption())
    .option("--due", "also what deleting what is due by retention would save: looks at every entry")
    .addHelpText(
      "after",
      "\nExamples:\n  mawps storage cost\n  mawps storage cost --prices prices.json --json",
    )
    .action(async ({ prices: file, engine, due: isDueAsked }, command) => {
      const run = await begin(command as AnyCommand);
      if (isDueAsked === true) assertRetention(run);
      if (file !== undefined) run.keepFromMetrics();
      const [{ measureCost }, { loadPrices }, { namedPlace }] = await Promise.all([
        import("../../usage/measure-cost.ts"),
        import("../../usage/prices.ts"),
        import("../../backup/place.ts"),
      ]);
      const prices = await loadPrices(file === undefined ? undefined : resolve(run.world.cwd, file));
      const due = isDueAsked === true ? await dueOf(run) : undefined;
      const doing = doingBy[engine];
      const progress = await run.progress(doing);
      const context = await run.context("reads");
      const { model, declaration } = context;
      const { cost } = await measureCost(context.aws, {
        model,
        declaration,
        repository: namedPlace(context),
        prices,
        due: Promise.resolve(due),
        engine,
        isMetered: context.target === "aws",
        now: run.world.now(),
        signal: run.world.signal,
        onProgress: (looked) => progress.update(`${doing}: ${grouped(looked)} looked at`),
      });
      progress.stop();
      if (cost.failures.length === 0) run.measure({ MonthlyCost: cost.usd });
      await run.print(cost, costText);
      for (const { id, date } of cost.old)
        run.warn(`the price of ${id} is of ${date}, more than a year old: --prices names newer ones`);
      for (const [role, { name }] of Object.entries(run.config.site.databases ?? {}))
        run.note(`database ${role} (${name}) is not priced: a server costs by the hour, whatever lies in it`);
      tellOfInventories(run, cost);
      tellWhatIsLeftOut(run, cost);
    });
}

/** @throws CliError (usage) where the model of the site has no rules of retention. */
function assertRetention({ config: { site } }: Run): void {
  const why = site === mawpsModel ? undefined : whyNoRetention(site);
  if (why !== undefined) throw new CliError(`--due: ${why}`, { exitCode: exitCodes.usage });
}

/** What a run would delete. */
async function dueOf(run: Run): Promise<Due[]> {
  const { totalsDue } = await import("../../retention/plan.ts");
  const looking = await run.progress("looking for what is due");
  const { rules } = await totalsDue(await run.unconnected("reads"));
  looking.stop();
  const { dueIn } = await import("../../usage/cost.ts");
  return dueIn(rules);
}

async function costText(cost: MeasuredCost, layout: Layout): Promise<string> {
  const unknown = cost.lines.filter(({ usd }) => usd === null).length;
  const least = unknown === 0 ? "" : `, and ${count(unknown, "thing")} of which no price is known`;
  const { length: buckets } = cost.uncountedBuckets;
  const without = buckets === 0 ? "" : `, without the files of ${count(buckets, "bucket")}`;
  const sections = [
    await table(cost.lines, lineColumns, layout),
    `${dollars(cost.usd)} a month in ${cost.region}${least}${without}; list prices without tax and discount`,
    ...(cost.savings.length === 0
      ? []
      : ["what could be saved a month", ...cost.savings.map((each) => savingText(each, layout))]),
    ...(cost.uncounted.length === 0
      ? []
      : [
          [
            "not counted, or not of all, as neither a listing nor CloudWatch tells how many there are:",
            ...cost.uncounted.map((price) => `  ${price.id}: ${priceText(price)}`),
          ].join("\n"),
        ]),
  ];
  return sections.join("\n\n");
}

const lineColumns: readonly Column<CostLine>[] = [
  { title: "WHAT", cell: ({ what }) => what, least: 24 },
  { title: "QUANTITY", cell: ({ quantity, unit }) => `${quantityText(quantity)} ${unit}`, align: "right" },
  { title: "PRICE", cell: ({ price }) => (price === null ? "no price known" : priceText(price)) },
  { title: "A MONTH", cell: ({ usd }) => (usd === null ? "?" : dollars(usd)), align: "right" },
  { title: "IF", cell: ({ assumption }) => assumption, folds: true, tone: () => "dim" },
];

/** `0.0245 USD a GB-month (2026-08-07)` */
function priceText({ usd, unit, date, free }: Price): string {
  const first = free === undefined ? "" : `, the first ${grouped(free)} free`;
  return `${usd} USD / ${unit}${first} (${date})`;
}

function savingText({ what, usd, prices, assumption, remedy }: Saving, layout: Layout): string {
  const dates = [...new Set(prices.map(({ date }) => date))].sort().join(", ");
  const told =
    usd === null
      ? "no price known"
      : usd < 0
        ? `costs ${dollars(-usd)} more than it saves`
        : `saves ${dollars(usd)}`;
  const of = dates === "" ? "" : ` (prices of ${dates})`;
  return [
    `${visible(what)}: ${told}${of}`,
    paint(`  if ${visible(assumption)}`, "dim", layout),
    `  ${remedy}`,
  ].join("\n");
}
