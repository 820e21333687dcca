import type { Command } from "@commander-js/extra-typings";
import type { World } from "../world.ts";
import type { Run } from "./run.ts";

/** Any command of the tree, whatever its options: commander's own type is generic over them. */
// oxlint-disable-next-line typescript/no-explicit-any -- commander's variance leaves no narrower common type
export type AnyCommand = Command<any, any, any>;

/** Resolves the configuration for the command that was called and starts its run. */
export type Begin = (command: AnyCommand) => Promise<Run>;

/** The whole program, for the commands that run others or tell of them. */
export interface CommandTree {
  run(argv: readonly string[]): Promise<void>;
  /** Every noun loaded. */
  tree(): Promise<AnyCommand>;
  close(): Promise<void>;
}

export type BuildTree = (world: World) => CommandTree;
