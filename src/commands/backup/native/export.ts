import { Command } from "@commander-js/extra-typings";
import type { Context } from "../../../context.ts";
import { CliError } from "../../../errors.ts";
import { localTime } from "../../../output/dates.ts";
import { table } from "../../../output/table.ts";
import { grouped } from "../../../output/text.ts";
import type { AnyCommand, Begin } from "../../command.ts";
import { s3Place } from "./names.ts";

/** One table's export, as it is printed. */
interface Row {
  readonly table: string;
  readonly items: number;
  readonly files: number;
  readonly bytes: number;
  readonly at: string;
  readonly bucket: string;
  readonly manifest: string;
  readonly arn: string;
}

/** `mawps backup native export`: lets DynamoDB write the tables to S3. */
export function nativeExport(begin: Begin): AnyCommand {
  return new Command("export")
    .description("let DynamoDB write every table, or one, to S3, all as of one moment; waits for it")
    .requiredOption("--to <place>", "s3://bucket/prefix, a private bucket", s3Place)
    .option("--table <table>", "only this one, by role or name")
    .option("--with-secrets", "also where it would hold API keys or other secrets")
    .addHelpText("after", "\nExample:\n  mawps backup native export --to s3://my-exports/mawps")
    .action(async (options, command) => {
      const run = await begin(command as AnyCommand);
      const [exports, { tablesMeant }, { recoveryStatus }] = await Promise.all([
        import("../../../backup/native-export.ts"),
        import("../../../backup/native-tables.ts"),
        import("../../../backup/pitr.ts"),
      ]);
      const context = await run.context("writes");
      const place = options.to;
      exports.assertMayHold(context.declaration, place);
      const stati = await recoveryStatus(context, tablesMeant(context, options.table));
      const tables = stati.filter(({ state }) => state !== "no table").map(({ table }) => table);
      if (tables.length === 0) throw new CliError("there is no table to export");
      const to = `s3://${place.bucket}/${place.prefix}`;
      if (options.withSecrets !== true) await refuseSecrets(context, tables);
      const begun = await exports.findBegun(context, { tables, place });
      if (run.config.dryRun) {
        return run.print({ dryRun: true, tables, to, begun }, () =>
          [
            `would let DynamoDB export ${tables.join(", ")} to ${to}`,
            ...(begun === undefined
              ? []
              : [`already at it, and only waited for: ${Object.keys(begun.arns).join(", ")}`]),
          ].join("\n"),
        );
      }
      await run.confirm({
        question: `Let DynamoDB export ${tables.join(", ")} to ${to}? AWS bills it by the size of the tables.`,
        destructive: false,
      });
      await context.audit.open();
      context.progress("DynamoDB exports the tables");
      const finished = await exports.exportToPlace(context, {
        tables,
        place,
        token: run.world.randomHex(16),
        begun,
      });
      const rows = finished.map((each): Row => {
        const { arn, bucket, manifest, at, bytes, files } = each.export;
        return {
          table: each.table,
          items: each.items,
          files: files.length,
          bytes,
          at,
          bucket,
          manifest,
          arn,
        };
      });
      await run.printRows(rows, async (rows, layout) => {
        const listed = await table(
          rows,
          [
            { title: "TABLE", cell: (row) => row.table },
            { title: "ITEMS", cell: (row) => grouped(row.items), align: "right" },
            { title: "FILES", cell: (row) => String(row.files), align: "right" },
            { title: "MANIFEST", cell: (row) => `s3://${row.bucket}/${row.manifest}` },
          ],
          layout,
        );
        return `${listed}\nall as of ${localTime(new Date(rows[0]?.at ?? ""))}`;
      });
    });
}

/** S3 encrypts what lies in it, and decrypts it for whoever may read the bucket, who need not be allowed to read the table. */
async function refuseSecrets(context: Context, tables: readonly string[]): Promise<void> {
  const [{ describeTable }, { refuseOpenSecrets }] = await Promise.all([
    import("../../../aws/dynamodb/table-description.ts"),
    import("../../../backup/secrets.ts"),
  ]);
  const described = context.declaration.tables
    .filter(({ name, role }) => tables.includes(name) && context.declaration.secrets.tables.includes(role))
    .map(async ({ role, name }) => {
      const found = await describeTable(context.aws, name, context.signal);
      return found === undefined ? [] : [{ role, name, ...found }];
    });
  await refuseOpenSecrets(context, {
    tables: (await Promise.all(described)).flat(),
    rate: undefined,
    hint: "leave the table out (--table), or pass --with-secrets if whoever reads the bucket may have them",
  });
}
