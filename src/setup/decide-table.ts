import type { StoredTable } from "../aws/dynamodb/table-settings.ts";
import {
  capacityText,
  type Declaration,
  keysText,
  sameKeys,
  type TableCapacity,
  type TableDeclaration,
} from "../model/declaration.ts";
import type { ActualTable } from "./actual.ts";
import type { Aspect, Step } from "./step.ts";
import { count } from "../model/count.ts";

type Decision = Omit<Step, "resource" | "name">;

/**
 * The steps from the tables as they are (by name; one that could not be read is missing) to the declared ones. A
 * table that is only wanted beside another one's keys is decided by the keys that are there, or will be.
 */
export function decideTables(declaration: Declaration, actual: ReadonlyMap<string, ActualTable>): Step[] {
  return declaration.tables.flatMap((wanted) => {
    const found = actual.get(wanted.name);
    if (found === undefined) return [];
    const steps: Step[] = [];
    for (const decision of decisions(wanted, found, isWanted(wanted, declaration, actual))) {
      steps.push({ resource: "table", name: wanted.name, ...decision });
    }
    return steps;
  });
}

function isWanted(
  { when }: TableDeclaration,
  { tables }: Declaration,
  actual: ReadonlyMap<string, ActualTable>,
): boolean {
  if (when === undefined) return true;
  const other = tables.find(({ role }) => role === when.role);
  if (other === undefined) return false;
  const stored = storedTable(actual.get(other.name));
  return sameKeys(stored?.keys ?? other.keys, when.keys);
}

function storedTable(actual: ActualTable | undefined): StoredTable | undefined {
  const table = actual?.table;
  return typeof table === "object" ? table : undefined;
}

function decisions(wanted: TableDeclaration, actual: ActualTable, isWantedNow: boolean): Decision[] {
  const { table } = actual;
  if (table === "denied") {
    return [unreadable("table", "dynamodb:DescribeTable")];
  }
  if (table === undefined || table === "unsupported") {
    if (!isWantedNow) return [];
    const { capacity } = wanted;
    return [
      creation(wanted),
      ...(capacity === undefined ? [] : [scaled(wanted, capacity, {})]),
      ...expirySteps(wanted, undefined),
      ...recoverySteps(wanted, undefined),
    ];
  }
  const right = [wanted.keys, ...wanted.alsoRight];
  if (!right.some((keys) => sameKeys(keys, table.keys))) {
    return [
      {
        aspect: "keys",
        kind: "problem",
        from: keysText(table.keys),
        to: `has the keys ${keysText(table.keys)}; understood: ${right.map(keysText).join(", or ")}`,
        remedy: "name another table in the configuration: keys cannot be changed, and no table is made anew",
      },
    ];
  }
  return [
    { aspect: "keys", kind: "ok", to: keysText(table.keys) },
    ...(wanted.capacity === undefined ? [onDemand(table)] : []),
    deletionProtection(table.deletionProtection),
    ...indexSteps(wanted, table),
    // Behind the indexes: those that are missing are scaled, too.
    ...(wanted.capacity === undefined
      ? []
      : [scaled(wanted, wanted.capacity, { table, scaling: actual.scaling })]),
    ...expirySteps(wanted, actual.expiry),
    ...recoverySteps(wanted, actual.recovery),
  ];
}

function onDemand({ billing }: StoredTable): Decision {
  const common = { aspect: "capacity", to: "on demand" } as const;
  if (billing === "on-demand") return { ...common, kind: "ok" };
  return { ...common, kind: "change", from: billing, isMinor: true, write: { do: "switch-to-on-demand" } };
}

/** Of the table and all its indexes in one step: what differs in one of them is set anew in all. */
function scaled(
  { indexes }: TableDeclaration,
  capacity: TableCapacity,
  { table, scaling }: { readonly table?: StoredTable; readonly scaling?: ActualTable["scaling"] | undefined },
): Decision {
  const aspect = "capacity";
  if (scaling === "unsupported") return unsupported(aspect);
  if (scaling === "denied")
    return unreadable(
      aspect,
      "application-autoscaling:DescribeScalableTargets and application-autoscaling:DescribeScalingPolicies",
    );
  const names = indexes.map(({ name }) => name);
  const to = capacityText(capacity);
  const write = { do: "scale-capacity", capacity, indexes: names } as const;
  if (table?.billing === "on-demand")
    return { aspect, kind: "change", from: "on demand", to, isMinor: true, write };
  if (scaling === undefined || scaling.length === 0)
    return { aspect, kind: "add", ...(table === undefined ? {} : { from: "does not scale" }), to, write };
  const differing = [undefined, ...names].flatMap((index) =>
    (["read", "write"] as const).flatMap((kind) => {
      const { min, max, target } = capacity[kind];
      const found = scaling.find((one) => one.index === index && one.kind === kind);
      if (found?.min === min && found.max === max && found.target === target) return [];
      return [{ what: `${kind} units${index === undefined ? "" : ` of ${index}`}`, found }];
    }),
  );
  if (differing.length === 0) return { aspect, kind: "ok", to };
  const from = differing
    .map(({ what, found }) =>
      found?.target === undefined
        ? `${what} do not scale`
        : `${what} ${found.min} to ${found.max} at ${found.target} %`,
    )
    .join(", ");
  // What nobody has set up is added, as other settings are; what somebody has is left unless asked for.
  const isNew = differing.every(({ found }) => found === undefined);
  return { aspect, kind: isNew ? "add" : "change", from, to, write };
}

function creation({ keys, indexes, capacity }: TableDeclaration): Decision {
  const units = capacity === undefined ? "on demand" : "provisioned";
  const parts = [keysText(keys), units, "deletion protection", ...indexes.map(({ name }) => name)];
  return {
    aspect: "table",
    kind: "create",
    to: parts.join(", "),
    write: { do: "create-table", keys, indexes, ...(capacity === undefined ? {} : { capacity }) },
  };
}

function deletionProtection(stored: boolean | "unsupported"): Decision {
  const aspect = "deletion protection";
  if (stored === "unsupported") return unsupported(aspect);
  if (stored) return { aspect, kind: "ok", to: "on" };
  return { aspect, kind: "add", from: "off", to: "on", write: { do: "protect-from-deletion" } };
}

function indexSteps(wanted: TableDeclaration, table: StoredTable): Decision[] {
  return wanted.indexes.map((index) => {
    const to = `${index.name}: ${keysText(index.keys)}`;
    const stored = table.indexes.find(({ name }) => name === index.name);
    if (stored === undefined) return { aspect: "index", kind: "add", to, write: { do: "add-index", index } };
    if (!sameKeys(stored.keys, index.keys) || stored.projection !== "ALL") {
      return {
        aspect: "index",
        kind: "problem",
        from: `${keysText(stored.keys)}, ${stored.projection}`,
        to: `${index.name} has the keys ${keysText(stored.keys)} and ${stored.projection} attributes, not ${keysText(index.keys)} and ALL`,
        remedy: `delete the index ${index.name} (no item is lost with it), then run \`mawps setup\``,
      };
    }
    if (stored.status === "CREATING") return { aspect: "index", kind: "note", to: `${to} is being filled` };
    return { aspect: "index", kind: "ok", to };
  });
}

function expirySteps(wanted: TableDeclaration, stored: ActualTable["expiry"]): Decision[] {
  const attribute = wanted.expiryAttribute;
  if (attribute === undefined) return [];
  const aspect = "expiry";
  const to = `by ${attribute}`;
  if (stored === "unsupported") return [unsupported(aspect)];
  if (stored === "denied") return [unreadable(aspect, "dynamodb:DescribeTimeToLive")];
  if (stored === undefined || stored.status === "DISABLED") {
    return [{ aspect, kind: "add", to, write: { do: "enable-expiry", attribute } }];
  }
  if (stored.status === "DISABLING") {
    return [{ aspect, kind: "note", to: "is being switched off by DynamoDB; run `mawps setup` in an hour" }];
  }
  if (stored.attribute === attribute) return [{ aspect, kind: "ok", to }];
  return [
    {
      aspect,
      kind: "problem",
      from: `by ${stored.attribute ?? "?"}`,
      to: `items expire by ${stored.attribute ?? "another attribute"}, not ${to}`,
      // DynamoDB takes one change of it an hour, and the other attribute may be somebody's.
      remedy: "switch the table's time to live off, wait an hour, then run `mawps setup`",
    },
  ];
}

function recoverySteps(wanted: TableDeclaration, stored: ActualTable["recovery"]): Decision[] {
  const days = wanted.recoveryDays;
  const aspect = "recovery";
  const to = count(days, "day");
  const write = { do: "enable-recovery", days } as const;
  if (stored === "unsupported") return [unsupported(aspect)];
  if (stored === "denied") return [unreadable(aspect, "dynamodb:DescribeContinuousBackups")];
  if (stored === undefined || !stored.enabled) return [{ aspect, kind: "add", to, write }];
  const kept = stored.days ?? days;
  if (kept >= days) return [{ aspect, kind: "ok", to: count(kept, "day") }];
  return [{ aspect, kind: "change", from: count(kept, "day"), to, write }];
}

function unsupported(aspect: Aspect): Decision {
  return { aspect, kind: "note", to: "this server does not know the setting" };
}

function unreadable(aspect: Aspect, permission: string): Decision {
  return { aspect, kind: "problem", to: "this identity may not read it", remedy: `allow ${permission}` };
}
