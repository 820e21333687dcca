import type { Aws } from "../aws/clients.ts";
import type { World } from "../world.ts";

interface ServerClock {
  /** The server's time, as soon as it has told one that differs from this machine's; that is warned of once. */
  readonly now: () => Date;
  /** From here on the time is that of these clients' server. */
  goBy(aws: Pick<Aws, "serverTime">): void;
}

/** What is signed and stored goes by the server's clock. */
export function serverClock(machine: Pick<World, "now">, warn: (text: string) => void): ServerClock {
  let server: Pick<Aws, "serverTime"> = { serverTime: () => undefined };
  let isSkewTold = false;
  return {
    now() {
      const ours = machine.now();
      const theirs = server.serverTime();
      if (theirs === undefined) return ours;
      const aheadMs = ours.getTime() - theirs.getTime();
      if (Math.abs(aheadMs) < borneSkewMs) return ours;
      if (!isSkewTold) {
        isSkewTold = true;
        warn(skewText(aheadMs));
      }
      return theirs;
    },
    goBy(aws) {
      server = aws;
    },
  };
}

/** Servers tell whole seconds, and an answer takes its time. */
const borneSkewMs = 30_000;

function skewText(aheadMs: number): string {
  const minutes = Math.abs(aheadMs) / 60_000;
  const [unit, amount] =
    Math.round(minutes) < 120
      ? ["minute", Math.max(1, Math.round(minutes))]
      : ["hour", Math.round(minutes / 60)];
  const difference = `${amount.toLocaleString("en")} ${unit}${amount === 1 ? "" : "s"}`;
  const way = aheadMs > 0 ? "ahead of" : "behind";
  return `this computer's clock is ${difference} ${way} the server's; what is signed and stored goes by the server's`;
}
