import { pause } from "../retry.ts";
import { HiddenLag, type Lag, type LagTeller } from "../sql/replicas.ts";

/** How far replicas may be behind before deletions wait for them, and how long these wait in all. */
export interface Bounds {
  readonly lagSeconds: number;
  readonly waitSeconds: number;
}

export interface Pausing extends Bounds {
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
}

/** Waits until the replicas of a database have caught up. Answers why nothing more may be deleted there, where they do not; from then on at once. */
export type PauseForReplicas = (role: string) => Promise<string | undefined>;

const betweenLooksMs = 1000;

/** @param asked by the roles of the databases. */
export function replicaPauses(
  asked: ReadonlyMap<string, readonly LagTeller[]>,
  pausing: Pausing,
): PauseForReplicas {
  const given = new Map<string, string>();
  const hidden = new Set<string>();
  const { lagSeconds, signal, note } = pausing;
  const farthest = async (role: string): Promise<Lag | undefined> => {
    const all: Lag[] = [];
    for (const teller of hidden.has(role) ? [] : (asked.get(role) ?? [])) {
      try {
        all.push(...(await teller.lag()));
      } catch (error) {
        if (!(error instanceof HiddenLag)) throw error;
        hidden.add(role);
        note(
          `${teller.where}: this account is not shown how far standbys are behind, and waits for none: GRANT pg_monitor to it`,
        );
      }
    }
    const secondsOf = ({ seconds = Infinity }: Lag) => seconds;
    const behind = all.filter((lag) => secondsOf(lag) > lagSeconds);
    return behind.toSorted((one, other) => secondsOf(other) - secondsOf(one))[0];
  };
  let leftMs = pausing.waitSeconds * 1000;
  return async (role) => {
    const known = given.get(role);
    if (known !== undefined) return known;
    let isTold = false;
    for (;;) {
      const lookedAtMs = performance.now();
      const lag = await farthest(role);
      if (lag === undefined) return undefined;
      const words = lagWords(lag, lagSeconds);
      if (leftMs <= 0) {
        given.set(role, words);
        return words;
      }
      if (!isTold) note(`${words}: waiting`);
      isTold = true;
      await pause(Math.min(betweenLooksMs, leftMs), signal);
      // One that does not answer is waited for by the asking already.
      leftMs -= performance.now() - lookedAtMs;
    }
  };
}

function lagWords({ replica, seconds, why }: Lag, lagSeconds: number): string {
  if (why !== undefined) return why;
  if (seconds === undefined) return `${replica} does not replicate at the moment`;
  const behind = seconds < 1 ? "less than a second" : `${Math.round(seconds).toLocaleString("en")} s`;
  return `${replica} is ${behind} behind, and may be ${lagSeconds.toLocaleString("en")} s`;
}
