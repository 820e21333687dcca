import { CliError, Declined } from "../errors.ts";
import type { Config } from "../config/config.ts";
import { paint, type Layout } from "../output/layout.ts";
import { visible } from "../output/text.ts";
import type { World } from "../world.ts";

export interface Question {
  /** What is about to be done, in numbers, as a question. */
  readonly question: string;
  /** True for what destroys or changes what exists: on a protected environment its name must be typed. */
  readonly destructive: boolean;
  /** True for what is not there any more afterwards: it is asked for in the colour of that. */
  readonly deletes?: boolean;
}

interface Asking {
  readonly world: World;
  readonly config: Config;
  readonly interactive: boolean;
  readonly layout: Layout;
}

/**
 * | protected and destructive | --confirm NAME | --yes | terminal | what happens            |
 * |---|---|---|---|---|
 * | yes                       | right          | any   | any      | goes on                 |
 * | yes                       | wrong          | any   | any      | fails                   |
 * | yes                       | none           | any   | yes      | the name must be typed  |
 * | yes                       | none           | any   | no       | fails, names --confirm  |
 * | no                        | any            | yes   | any      | goes on                 |
 * | no                        | any            | no    | yes      | asks, default no        |
 * | no                        | any            | no    | no       | fails, names --yes      |
 */
export async function askFirst(
  { question, destructive, deletes = false }: Question,
  { world, config, interactive, layout }: Asking,
): Promise<void> {
  const tone = deletes ? "bad" : destructive ? "warning" : undefined;
  const shown = paint(visible(question), tone, layout);
  if (config.protected && destructive) {
    const name = config.name ?? "";
    let typed = config.confirm;
    if (typed === undefined) {
      if (!interactive) {
        throw new CliError(`"${name}" is protected and there is no terminal to ask: ${question}`, {
          hint: `pass --confirm ${name}`,
        });
      }
      world.stderr.write(`${shown}\n`);
      typed = await world.prompts.input(`"${name}" is protected. Type its name to go on:`);
    }
    if (typed !== name) {
      throw new CliError(`the environment is called "${name}", not "${typed}"; nothing was changed`);
    }
    return;
  }
  if (config.yes) return;
  if (!interactive) {
    throw new CliError(`there is no terminal to ask: ${question}`, {
      hint: "pass --yes to go on without asking",
    });
  }
  if (!(await world.prompts.confirm(shown, false))) throw new Declined("declined; nothing was changed");
}
