import {
  derive,
  type Measured,
  type Quantiles,
  quantiles,
  type Requests,
  SHARES,
  type Share,
  waits,
  waitsFromVersion,
} from "./measured.ts";

const TITLE = 32;
const NUMBER = 12;

/** Describes the result of one contestant as soon as it is known. */
export function describe(measured: Measured): string {
  const { contestant, secrets, rotations, vault, queue, cpu, notes } = measured;
  const arrived = rotations.filter(({ writtenAt }) => writtenAt !== undefined);
  const lines = [
    `${contestant}: ${arrived.length} of ${rotations.length} rotations among ${secrets} Secrets arrived`,
    title("seconds", Object.keys(SHARES)),
    ...(queue === undefined ? [] : [row("version to queue", way(measured)), row("queue to Secret", fromQueue(measured))]),
    row("version to Secret", waitsFromVersion(measured)),
    ...derivedRow(measured),
    title("transactions", ["a rotation", "rest, a min"]),
    counts("of vaults", vault),
    ...(queue === undefined ? [] : [counts("of the storage account", queue)]),
    `  CPU of the process: ${cpu.atRest.toFixed(0)} ms a minute at rest, ${cpu.whileRotating.toFixed(0)} ms until all had arrived; others used ${cpu.othersCores.toFixed(2)} cores`,
    ...notes.map((note) => `  ${note}`),
  ];
  return lines.join("\n");
}

function way({ rotations }: Measured): Quantiles {
  const delivered = rotations.flatMap(({ madeAt, queuedAt }) => (queuedAt === undefined ? [] : [queuedAt - madeAt]));
  return quantiles(delivered, { of: rotations.length, watchedMs: Number.POSITIVE_INFINITY });
}

/** Returns the time that the worker adds after the event reaches the queue. */
export function fromQueue({ rotations, watchedMs }: Measured): Quantiles {
  return quantiles(
    waits(rotations, ({ queuedAt }) => queuedAt),
    { of: rotations.length, watchedMs },
  );
}

function derivedRow({ rotations, watchedMs }: Measured): readonly string[] {
  const isWhole = rotations.every(({ writtenAt }) => writtenAt !== undefined);
  const found = isWhole ? undefined : derive(rotations);
  if (found === undefined) return isWhole ? [] : [`  a dash: not within the ${seconds(watchedMs)} s that each was watched at least`];
  return [
    row("  DERIVED, not measured", found.waits),
    `  a dash: not within the ${seconds(watchedMs)} s that each was watched at least. Derived: of the ${found.derived} that did not arrive, the time of`,
    `  the refresh that their own status announces, and the ${seconds(found.lateMs)} s that those which arrived were later than that (median)`,
  ];
}

function title(text: string, columns: readonly string[]): string {
  return `  ${text.padEnd(TITLE)}${columns.map((column) => column.padStart(NUMBER)).join("")}`;
}

function row(text: string, found: Quantiles): string {
  return title(
    text,
    shares().map((share) => seconds(found[share])),
  );
}

function counts(text: string, { perRotation, atRestPerMinute }: Requests): string {
  return title(text, [perRotation.toFixed(2), atRestPerMinute.toFixed(1)]);
}

function seconds(milliseconds: number | undefined): string {
  return milliseconds === undefined ? "-" : (milliseconds / 1_000).toFixed(3);
}

function shares(): readonly Share[] {
  return Object.keys(SHARES) as Share[]; // Keys of a constant object.
}

/** Compares another contestant with the worker with push, in the same run. */
export function compared(push: Measured, other: Measured): string {
  const [ours, theirs] = [waitsFromVersion(push), waitsFromVersion(other)];
  const derived = derive(other.rotations)?.waits;
  const ratios = shares().map((share) => {
    const isMeasured = theirs[share] !== undefined;
    const [one, two] = [ours[share], theirs[share] ?? derived?.[share]];
    const ratio = one === undefined || two === undefined ? "-" : `${(two / one).toFixed(1)}x`;
    return `${share} ${ratio}${isMeasured || ratio === "-" ? "" : " (derived)"}`;
  });
  const [mine, its] = [push.vault.atRestPerMinute.toFixed(1), other.vault.atRestPerMinute.toFixed(1)];
  return `${other.contestant} / with push: version to Secret ${ratios.join(", ")}; at rest ${its} vault transactions a minute, ${mine} with push`;
}

/** Milliseconds after the event reached the queue. */
const TARGETS = { p50: 1_000, p99: 3_000 } as const;

export function targets(push: Measured): readonly string[] {
  const found = fromQueue(push);
  const arrived = push.rotations.filter(({ writtenAt }) => writtenAt !== undefined).length;
  const limits = (["p50", "p99"] as const).map((share) => {
    const is = found[share];
    const isMet = is !== undefined && is <= TARGETS[share];
    return `target ${share} within ${TARGETS[share] / 1_000} s beyond the event's own way: ${seconds(is)} s: ${met(isMet)}`;
  });
  const all = `target all rotations in their Secrets: ${arrived} of ${push.rotations.length}: ${met(arrived === push.rotations.length)}`;
  return [...limits, all];
}

function met(isMet: boolean): string {
  return isMet ? "met" : "not met";
}
