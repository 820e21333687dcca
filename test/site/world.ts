import { cp } from "node:fs/promises";
import { join } from "node:path";
import type { Aws } from "../../src/aws/clients.ts";
import { stoppable } from "../../src/concurrency.ts";
import { resolve } from "../../src/config/config.ts";
import { connectThrowaway } from "../../src/target.ts";
import { makeHome, testStart, type Outcome, type TestHome, type WorldOptions } from "../support/world.ts";
import { makeAccounts, type People } from "./accounts.ts";
import { makeTables, putItems } from "./items.ts";
import { makeBuckets, putObjects } from "./objects.ts";
import { differences, pictureOf, takePicture, type Picture } from "./picture.ts";

/** The live site's storage as it is today, in a local store that `mawps` meets for the first time. */
export interface LiveSite {
  readonly home: TestHome;
  readonly people: People;
  /** Everything, before `mawps` came. */
  readonly asBuilt: Picture;
  run(argv: readonly string[], options?: WorldOptions): Promise<Outcome>;
  look<T>(look: (aws: Aws) => Promise<T>): Promise<T>;
  picture(): Promise<Picture>;
  /** What is the site's and not as it was in the picture: everything but the tool's own tables and anchors. */
  changedSince(before: Picture, after?: Picture): Promise<string[]>;
  /** Another site as this one stands now, in less time than building one takes. */
  copy(): Promise<LiveSite>;
  remove(): Promise<void>;
}

/**
 * Builds the site as ../shared/storage-model.md, section 5, describes it: buckets and tables with the site's settings and
 * none of the tool's; what was stored in 2025 is that old when the tests' clock starts. The tool's own tables appear with
 * its first command, as on AWS with the first `setup`.
 */
export async function makeLiveSite(): Promise<LiveSite> {
  const home = await makeHome();
  const { config } = resolve({}, { MAWPS_HOME: storeOf(home) }, undefined);
  let atMs = Date.parse("2025-06-01T08:00:00.000Z");
  const site = await connectThrowaway(config, config.home, {
    now: () => new Date((atMs += 1000)),
    signal: stoppable(undefined).signal,
  });
  const { aws, poolId } = site;
  try {
    const people = await makeAccounts(aws, poolId);
    await makeBuckets(aws);
    await makeTables(aws);
    await putObjects(aws, people, (time) => void (atMs = Date.parse(time)));
    await putItems(aws, people);
    if (atMs > testStart.getTime()) throw new Error("the site is newer than the tests' clock");
    return liveSite(home, { people, poolId, asBuilt: await takePicture(aws, poolId) });
  } finally {
    await site.close();
  }
}

interface Built {
  readonly people: People;
  readonly poolId: string;
  readonly asBuilt: Picture;
}

function liveSite(home: TestHome, built: Built): LiveSite {
  const picture = () => pictureOf(home, built.poolId);
  return {
    home,
    people: built.people,
    asBuilt: built.asBuilt,
    run: (argv, options) => home.run(argv, options),
    look: (look) => home.look(look),
    picture,
    changedSince: async (before, after) =>
      differences(before, after ?? (await picture())).filter((line) => !toolsOwn.test(line)),
    async copy() {
      const other = await makeHome();
      await cp(storeOf(home), storeOf(other), { recursive: true });
      return liveSite(other, built);
    },
    remove: () => home.remove(),
  };
}

function storeOf({ folder }: TestHome): string {
  return join(folder, "store");
}

const toolsOwn =
  /^\w+ (item|table|object|bucket) (mawps-(audit-log|digital-twin|migrations) |mawps-user-files-1760106396 audit\/)/;
