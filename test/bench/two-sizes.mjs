// What lists something, of many and of a tenth of them, beside the AWS CLI doing the same on the same server.
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  inTurn,
  mawps,
  median,
  peakMegabytes,
  report,
  run,
  serveStore,
  temporaryFolder,
} from "./measure.mjs";

const aws = "/usr/bin/aws";

/**
 * Prints the peak memory of the larger one against the smaller one, and the time against the AWS CLI's.
 * @param {{
 *   name: string, what: string, more: number, command: string[], bar: number,
 *   behind: (served: { endpoint: string }, amount: number) => Promise<{ endpoint: string, stop(): void, env?: Record<string, string> }>,
 *   counted: (printed: string) => number,
 *   theirs: string[],
 * }} bench `bar` is of the time; `counted` tells of how many the command told, `theirs` is what `aws` is given.
 */
export async function besidePeer({ name, what, more, command, bar, behind, counted, theirs }) {
  const fewer = more / 10;
  const home = join(temporaryFolder(), "store");
  run([...mawps, "setup", "--yes", "--quiet"], { MAWPS_HOME: home });
  const served = await serveStore(home);
  const of = async (amount) => {
    const { env, ...end } = await behind(served, amount);
    return {
      ...end,
      amount,
      env: { ...served.env, MAWPS_TARGET: "aws", AWS_ENDPOINT_URL: end.endpoint, ...env },
    };
  };
  const few = await of(fewer);
  const many = await of(more);
  try {
    for (const { amount, env } of [few, many]) {
      const told = counted(run(command, env));
      if (told !== amount) throw new Error(`${name} told of ${told} ${what}, not of ${amount}`);
    }
    const [one, other] = [few, many].map(({ env }) =>
      median([0, 1, 2].map(() => peakMegabytes(command, env))),
    );
    console.log(
      `\n${name}, ${fewer} and ${more} ${what} (peaks ${one.toFixed(0)} and ${other.toFixed(0)} MB)`,
    );
    report(`peak memory of ${name}, the larger against the smaller`, other / one, 1.3);
    if (!existsSync(aws)) return;
    const commands = {
      ours: { command, env: many.env },
      theirs: { command: [aws, "--endpoint-url", many.endpoint, ...theirs], env: many.env },
    };
    const times = inTurn(commands, 1);
    report(`time of ${name} against aws ${theirs[0]} ${theirs[1]}`, times.ours / times.theirs, bar);
  } finally {
    few.stop();
    many.stop();
    await served.stop();
  }
}
