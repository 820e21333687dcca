import type { Layout } from "../output/layout.ts";
import { visible } from "../output/text.ts";
import type { World } from "../world.ts";

export interface Progress {
  /** With the share that is done, from 0 to 1, a terminal shows it as a bar. */
  update(text: string, share?: number): void;
  /** Takes the spinner away; the result says what came of it. */
  stop(): void;
}

/** Columns of a spinner, of a bar, and those of a terminal that has room for one. */
const spinnerColumns = 3;
const barColumns = 20;
const columnsForBar = 60;

/** On a terminal a spinner, with a bar where it is told how much is done; else a line now and then. */
export async function startProgress(
  world: World,
  text: string,
  { columns, color }: Layout,
): Promise<Progress> {
  // A terminal without a size (`script`, some containers) has 0 columns, at which a spinner would clear lines for ever.
  if (world.stderr.isTTY !== true || world.stderr.columns === 0) {
    world.stderr.write(`${text}\n`);
    let said = world.now().getTime();
    return {
      update(next) {
        // Away from a terminal (a log) one line in five seconds is enough.
        if (world.now().getTime() - said < 5000) return;
        said = world.now().getTime();
        world.stderr.write(`${visible(next)}\n`);
      },
      stop() {},
    };
  }
  const [{ default: ora }, { percentBar }] = await Promise.all([import("ora"), import("../output/bar.ts")]);
  const stream = world.stderr as never;
  const spinner = ora({ text, stream, discardStdin: false, color: color ? "cyan" : false }).start();
  return {
    update(next, share) {
      const hasBar = share !== undefined && columns >= columnsForBar;
      const room = columns - spinnerColumns - (hasBar ? barColumns + 1 : 0);
      const line = visible(next);
      // One line, so that it does not flicker. What is cut stands before the numbers, where there are some.
      const kept = share === undefined ? `${line.slice(0, room - 1)}…` : `…${line.slice(1 - room)}`;
      const shown = line.length > room ? kept : line;
      spinner.text = hasBar ? `${percentBar(100 * share, barColumns)} ${shown}` : shown;
    },
    stop() {
      spinner.stop();
    },
  };
}
