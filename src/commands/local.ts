import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import { CliError, exitCodes } from "../errors.ts";
import { facts } from "../output/table.ts";
import type { AnyCommand, Begin } from "./command.ts";
import type { Run } from "./run.ts";

/** `mawps local path|serve|reset`: the embedded store as such. */
export function local(noun: AnyCommand, begin: Begin): void {
  noun.addCommand(
    new Command("path")
      .description("print the folder of the local store")
      .addHelpText("after", "\nExample:\n  mawps local path")
      .action(async (_options, command) => {
        const run = await begin(command as AnyCommand);
        const { storeFolder } = await import("../target.ts");
        await run.printCode({ path: storeFolder(run.config, run.world) }, ({ path }) => path);
      }),
  );
  noun.addCommand(
    new Command("serve")
      .description("serve the local store over HTTP on 127.0.0.1, for browsers and other clients")
      .option("--port <port>", "port to listen on; 0 takes any free one", portNumber)
      .addHelpText("after", "\nExample:\n  mawps local serve --port 0 --json")
      .action(async (options, command) => {
        const run = await begin(command as AnyCommand);
        onlyLocal(run);
        const { serveLocal } = await import("../target.ts");
        const server = await serveLocal(run.config, run.world, options.port ?? run.config.local.port);
        const { endpoint, region, accessKeyId, secretAccessKey } = server;
        await run.print({ endpoint, region, accessKeyId, secretAccessKey }, (served) =>
          [
            facts([
              ["endpoint", served.endpoint],
              ["region", served.region],
              ["access key", served.accessKeyId],
              ["secret", served.secretAccessKey],
            ]),
            "",
            "S3, DynamoDB and Cognito, until Ctrl-C. For trying out, tests and offline work, never for production data.",
          ].join("\n"),
        );
        await server.closed;
      }),
  );
  noun.addCommand(
    new Command("reset")
      .description("delete everything in the local store")
      .addHelpText("after", "\nExample:\n  mawps local reset --yes")
      .action(async (_options, command) => {
        const run = await begin(command as AnyCommand);
        onlyLocal(run);
        const { storeFolder, localStoreExists, resetLocal } = await import("../target.ts");
        const path = storeFolder(run.config, run.world);
        const exists = await localStoreExists(run.config, run.world);
        if (exists && !run.config.dryRun) {
          await run.confirm({
            question: `Delete the local store ${path} with everything in it, backups too?`,
            destructive: true,
            deletes: true,
          });
          await resetLocal(run.config, run.world);
        }
        await run.print({ path, deleted: exists && !run.config.dryRun }, () =>
          !exists
            ? `there is no store at ${path}`
            : run.config.dryRun
              ? `would delete ${path}`
              : `deleted ${path}`,
        );
      }),
  );
}

function portNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError("expected 0 to 65535.");
  return Number(text);
}

/** The store is only ever touched when it is the target, so that nobody empties it believing to be elsewhere. */
function onlyLocal(run: Run): void {
  if (run.config.target === "local") return;
  throw new CliError(`the target is aws (from ${run.sources.target}), and this is about the local store`, {
    exitCode: exitCodes.usage,
    hint: "pass --target local",
  });
}
