import { rfc3339 } from "../../domain/sync/stored-time.ts";
import type { Expiry, ExpiryState } from "../../domain/where/calendar.ts";
import { spokenReference } from "../../domain/where/object-reference.ts";
import {
  type ContainerUsage,
  type Held,
  type ObjectUsage,
  type SecretUsage,
  type UnconfirmedVersion,
  VERSION_STATES,
  type VersionState,
} from "../../domain/where/usage.ts";
import { counted } from "../../domain/words.ts";
import { type Colour, joined, type Line, line, padded, paint } from "../shared/terminal.ts";

const STATE_COLOURS: Readonly<Record<VersionState, Colour>> = {
  current: "green",
  old: "red",
  pinned: "bold",
  unknown: "cyan",
  "not-running": "yellow",
};

/** Order of the states: those that need action come first. */
const ORDER: readonly VersionState[] = ["old", "unknown", "not-running", "pinned", "current"];

interface Width {
  /** Whether to show whole versions, workloads, nodes, and the evidence for each version. */
  readonly isWide: boolean;
}

export function usagesText(usages: readonly ObjectUsage[], width: Width): readonly Line[] {
  const lines = usages.flatMap((usage, index) => [...(index === 0 ? [] : [line``]), ...usageLines(usage, width)]);
  const isUnexplained = !width.isWide && usages.some(({ secrets, containers }) => [...secrets, ...containers].some(isUnknown));
  return isUnexplained ? [...lines, line`To see why a version is unknown, add -o wide.`] : lines;
}

function isUnknown({ state }: Held): boolean {
  return state === "unknown";
}

function usageLines(usage: ObjectUsage, width: Width): readonly Line[] {
  const { current, unconfirmed, expires, classes, secrets, containers, vault } = usage;
  const newest =
    current === undefined
      ? line`newest version: not known`
      : line`newest version: ${current.version}, seen ${rfc3339(current.seenAt)}${current.updated === undefined ? "" : line`, in the vault ${rfc3339(current.updated)}`}`;
  const named = classes.map(
    ({ namespace, name, pins }) => `${namespace}/${name}${pins.length === 0 ? "" : ` (version ${pins.join(", ")})`}`,
  );
  return [
    paint("bold", `${spokenReference(usage)} in ${vault}`),
    line`  ${newest}${expires === undefined ? "" : line`, expires ${rfc3339(expires)}`}`,
    ...(unconfirmed.length === 0 ? [] : [line`  ${unconfirmedText(unconfirmed, width)}`]),
    line`  ${counted(classes.length, "class")}: ${someOf(named, "other", width)}`,
    ...section(secretTable(secrets, width)),
    ...section(containerTable(containers, width)),
    line``,
    ...summaryLines(usage),
  ];
}

function unconfirmedText(unconfirmed: readonly UnconfirmedVersion[], width: Width): string {
  const named = unconfirmed.map(({ namespace, version }) => `${namespace} (${version})`);
  return `newest only for their own namespace, because unconfirmed: ${someOf(named, "other", width)}`;
}

function section(lines: readonly Line[]): readonly Line[] {
  return lines.length === 0 ? [] : [line``, ...lines];
}

function secretTable(secrets: readonly SecretUsage[], width: Width): readonly Line[] {
  const rows = inOrder(secrets).map((usage) => [
    usage.state,
    `${usage.namespace}/${usage.name}`,
    usage.keys.join(","),
    ...heldCells(usage, width),
  ]);
  return table(["STATE", "SECRET", "KEYS", ...heldHeads(width)], rows);
}

function containerTable(containers: readonly ContainerUsage[], width: Width): readonly Line[] {
  const rows = inOrder(containers).map((usage) => [
    usage.state,
    `${usage.namespace}/${usage.pod}`,
    usage.container ?? "-",
    `${usage.via} ${usage.from}`,
    ...(width.isWide ? [usage.workload ?? "-", usage.node ?? "-"] : []),
    ...heldCells(usage, width),
  ]);
  return table(["STATE", "POD", "CONTAINER", "FROM", ...(width.isWide ? ["WORKLOAD", "NODE"] : []), ...heldHeads(width)], rows);
}

function inOrder<T extends Held>(held: readonly T[]): readonly T[] {
  return ORDER.flatMap((state) => held.filter((each) => each.state === state));
}

function heldHeads({ isWide }: Width): readonly string[] {
  return isWide ? ["VERSION", "SINCE", "KNOWN BY", "WHY"] : ["VERSION", "SINCE"];
}

/** Number of characters of a version that distinguish it from other versions of the object. */
const SHORT = 8;

function heldCells({ version, since, evidence, why }: Held, { isWide }: Width): readonly string[] {
  const shownVersion = version === undefined ? (evidence === "started-before" ? "older" : "-") : isWide ? version : version.slice(0, SHORT);
  const cells = [shownVersion, since === undefined ? "-" : rfc3339(since)];
  return isWide ? [...cells, evidence, why ?? "-"] : cells;
}

/** Renders columns as wide as their widest cell; returns nothing if there are no rows. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): readonly Line[] {
  if (rows.length === 0) return [];
  const cells = [heads, ...rows].map((row) => row.map((cell) => line`${cell}`));
  const widths = heads.map((_, column) => cells.reduce((most, row) => Math.max(most, row[column]?.text.length ?? 0), 0));
  return cells.map((row) => {
    const last = row.findLastIndex(({ text }) => text !== "");
    return joined(
      row
        .slice(0, last + 1)
        .map((cell, column) => padded(column === 0 ? inItsColour(cell) : cell, column === last ? 0 : (widths[column] ?? 0))),
      "  ",
    );
  });
}

function inItsColour(cell: Line): Line {
  const word = cell.text;
  const colour: Colour | undefined = Object.hasOwn(STATE_COLOURS, word) ? STATE_COLOURS[word as VersionState] : EXPIRY_COLOURS[word]; // hasOwn checked the key.
  return colour === undefined ? cell : paint(colour, cell);
}

/** Maximum number of classes or workloads in one line; the others are counted. */
const MOST_NAMES = 20;

function summaryLines({ secrets, containers }: ObjectUsage): readonly Line[] {
  const counts = (all: readonly Held[]): string =>
    Object.keys(VERSION_STATES)
      .map((state): readonly [string, number] => [state, all.filter((each) => each.state === state).length])
      .filter(([, count]) => count > 0)
      .map(([state, count]) => `${count} ${state}`)
      .join(", ");
  const lines = [
    secrets.length === 0 ? line`no Secret contains it` : line`${counted(secrets.length, "Secret")}: ${counts(secrets)}`,
    containers.length === 0
      ? line`no pod uses it`
      : line`${counted(new Set(containers.map(podKey)).size, "pod")}, ${counted(containers.length, "use")}: ${counts(containers)}`,
  ];
  const old = containers.filter(({ state }) => state === "old");
  return old.length === 0 ? lines : [...lines, line`still on an older version: ${workloadsText(old)}`];
}

function workloadsText(uses: readonly ContainerUsage[]): string {
  const nameOf = ({ namespace, workload, pod }: ContainerUsage): string => `${namespace}/${workload ?? `pod/${pod}`}`;
  const byWorkload = [...Map.groupBy(uses, nameOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  const named = byWorkload.map(([name, those]) => `${name} (${counted(new Set(those.map(podKey)).size, "pod")})`);
  return someOf(named, "other workload", { isWide: false });
}

function someOf(names: readonly string[], what: string, { isWide }: Width): string {
  const left = isWide ? 0 : names.length - MOST_NAMES;
  return left <= 0 ? names.join(", ") : [...names.slice(0, MOST_NAMES), `and ${counted(left, what)}`].join(", ");
}

function podKey({ namespace, pod }: ContainerUsage): string {
  return `${namespace}/${pod}`;
}

const EXPIRY_COLOURS: Readonly<Record<string, Colour>> = { expired: "red", soon: "yellow" } satisfies Partial<Record<ExpiryState, Colour>>;

interface CalendarContext extends Width {
  /** Unix milliseconds. */
  readonly now: number;
  /** Number of objects whose expiry is not known. */
  readonly undated: number;
  readonly withinMs: number | undefined;
}

export function calendarText(expiries: readonly Expiry[], context: CalendarContext): readonly Line[] {
  const { isWide, now, undated, withinMs } = context;
  const rows = expiries.map((expiry) => {
    const { state, expires, vault, classes, secrets, workloads, pods } = expiry;
    const named = classes.map(({ namespace, name }) => `${namespace}/${name}`);
    const made = [...new Set(secrets.map(({ namespace, name }) => `${namespace}/${name}`))];
    const narrow = [`${classes.length}`, `${made.length}`, `${workloads.length}`, `${pods}`];
    const wide = [named, made, workloads].map((names) => (names.length === 0 ? "-" : names.join(",")));
    return [state, rfc3339(expires), inDays(expires - now), spokenReference(expiry), vault, ...(isWide ? wide : narrow)];
  });
  const heads = isWide ? ["CLASSES", "SECRETS", "WORKLOADS"] : ["CLASSES", "SECRETS", "WORKLOADS", "PODS"];
  const lines = table(["STATE", "EXPIRES", "IN", "OBJECT", "VAULT", ...heads], rows);
  const none =
    withinMs === undefined ? line`no object that you can see expires` : line`no object that you can see expires within ${inDays(withinMs)}`;
  return [...(lines.length === 0 ? [none] : lines), ...undatedLines(undated)];
}

function undatedLines(undated: number): readonly Line[] {
  if (undated === 0) return [];
  if (undated === 1) return [line`1 object is only mounted: its expiry date is not known`];
  return [line`${undated} objects are only mounted: their expiry dates are not known`];
}

const HOUR_MS = 3_600_000;

/** Returns `12d` or `5h`; `-3d` if the time has passed. */
function inDays(milliseconds: number): string {
  const hours = Math.trunc(milliseconds / HOUR_MS);
  return Math.abs(hours) < 48 ? `${hours}h` : `${Math.trunc(hours / 24)}d`;
}
