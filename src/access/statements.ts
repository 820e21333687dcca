import type { Call } from "./calls.ts";
import { resourcesOf, type AccessSite, type Place } from "./place.ts";
import type { Statement } from "./policy.ts";

export interface Grant {
  readonly sid: string;
  readonly actions: readonly string[];
  readonly on: readonly Place[];
}

export function granted(site: AccessSite, grants: readonly Grant[]): Statement[] {
  return statementsOf(site, "Allow", grants);
}

export function denied(site: AccessSite, grants: readonly Grant[]): Statement[] {
  return statementsOf(site, "Deny", grants);
}

function statementsOf(site: AccessSite, effect: Statement["Effect"], grants: readonly Grant[]): Statement[] {
  return grants.flatMap(({ sid, actions, on }): Statement[] => {
    const resources = [...new Set(on.flatMap((place) => resourcesOf(place, site)))];
    if (resources.length === 0) return [];
    return [{ Sid: sid, Effect: effect, Action: [...actions].sort(), Resource: resources }];
  });
}

/** Actions on the same places together. */
export function groupedCalls(all: readonly Call[]): Grant[] {
  const places = [...new Set(all.map(({ on }) => on))];
  return places.map((place) => ({
    sid: place.replace(/^./, (letter) => letter.toUpperCase()),
    actions: [...new Set(all.filter(({ on }) => on === place).map(({ action }) => action))],
    on: [place],
  }));
}
