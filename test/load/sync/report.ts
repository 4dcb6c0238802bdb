import type { Figures, Waited } from "./figures.ts";

/** Named figures: the function that reads each, and its number of decimals. */
const ROWS: readonly (readonly [string, (figures: Figures) => number, number])[] = [
  ["first sync, s", ({ first }) => first.ms / 1_000, 1],
  ["  vault reads", ({ first }) => first.reads, 0],
  ["  API writes", ({ first }) => first.writes, 0],
  ["  CPU s", ({ first }) => first.cpuSeconds, 1],
  ["at rest: a poll takes, s", ({ rest }) => rest.seconds, 1],
  ["  vault transactions/poll", ({ rest }) => rest.transactions, 0],
  ["  token requests/poll", ({ rest }) => rest.tokens, 0],
  ["  API writes/poll", ({ rest }) => rest.writesPerPoll, 0],
  ["  CPU s/poll", ({ rest }) => rest.cpuSeconds, 2],
  ["  RSS, MiB", ({ rest }) => rest.residentMiB, 0],
  ["  largest RSS so far, MiB", ({ rest }) => rest.peakMiB, 0],
  ["  that of one process, MiB", ({ rest }) => rest.largestMiB, 0],
  ["restart: vault reads", ({ restart }) => restart.reads, 0],
  ["  API writes", ({ restart }) => restart.writes, 0],
  ["  CPU s", ({ restart }) => restart.cpuSeconds, 1],
  ["deleted Secrets back, s", ({ heal }) => heal.ms / 1_000, 1],
  ["rotated, median s", ({ rotation }) => rotation.medianMs / 1_000, 1],
  ["  the last, s", ({ rotation }) => rotation.ms / 1_000, 1],
  ["busiest vault, requests/10 s", ({ busiest }) => busiest, 0],
  ["429s", ({ throttled }) => throttled, 0],
  ["tokens/identity, one process", ({ tokens }) => tokens, 0],
];

/** Describes the result of one contestant at one size as soon as it is known. */
export function describe(figures: Figures): string {
  const { contestant, size, rest, restart } = figures;
  const rows = ROWS.map(([title, read, digits]) => `  ${title.padEnd(34)}${read(figures).toFixed(digits).padStart(10)}`);
  const written = [...rest.writes.byResource].map(([what, count]) => `${count} ${what}`).join(", ");
  return [
    `${contestant}, ${size} Secrets`,
    ...rows,
    `  at rest in ${rest.polls.toFixed(1)} polls: ${rest.writes.leases} Lease renewals${written === "" ? "" : `; writes: ${written}`}`,
    ...(restart.early === undefined
      ? []
      : [`  restart: ${restart.early} vault reads before their phase in ${restart.seconds.toFixed(0)} s`]),
    ...Object.entries({ "first sync": figures.first, deleted: figures.heal, rotated: figures.rotation }).flatMap(incomplete),
  ].join("\n");
}

function incomplete([what, { awaited, arrived }]: readonly [string, Waited]): readonly string[] {
  return arrived === awaited ? [] : [`  ${what}: ${arrived} of ${awaited} in the time that was waited`];
}

/** Returns each figure at each size, its ratio to the previous size, and the ratio of the largest size to the smallest. */
export function growth(all: readonly Figures[]): string {
  const first = all[0];
  const last = all.at(-1);
  if (first === undefined || last === undefined || all.length < 2) return "";
  const head = [...all.map(({ size }) => `${size}`), `x for ${last.size / first.size}x`];
  const lines = ROWS.map(([title, read, digits]) => {
    const cells = all.map((figures, index) => {
      const before = all[index - 1];
      return `${read(figures).toFixed(digits)}${before === undefined ? "" : ` (${factor(read(before), read(figures))})`}`;
    });
    return [title.padEnd(34), ...[...cells, factor(read(first), read(last))].map(cell)].join("");
  });
  return [`growth of ${first.contestant}`.padEnd(34) + head.map(cell).join(""), ...lines].join("\n");
}

function factor(from: number, to: number): string {
  if (from === 0) return to === 0 ? "-" : "new";
  return `${(to / from).toFixed(1)}x`;
}

function cell(text: string): string {
  return text.padStart(16);
}

/** Compares our worker with another contestant in the same run at the same size. */
export function compared(ours: Figures, other: Figures): string {
  const ratio = (read: (figures: Figures) => number): string => `${(read(other) / read(ours)).toFixed(1)}x`;
  const parts = [
    `first sync ${ratio(({ first }) => first.ms)}${note(other.first)}`,
    `transactions/poll ${ratio(({ rest }) => rest.transactions)}`,
    `CPU/poll ${ratio(({ rest }) => rest.cpuSeconds)}`,
    `RSS ${ratio(({ rest }) => rest.residentMiB)}`,
    `deleted back ${ratio(({ heal }) => heal.ms)}${note(other.heal)}`,
    `rotated ${ratio(({ rotation }) => rotation.ms)}${note(other.rotation)}`,
  ];
  return `${other.contestant} / ours at ${ours.size}: ${parts.join(", ")}`;
}

function note({ awaited, arrived }: Waited): string {
  return arrived === awaited ? "" : ` (only ${arrived} of ${awaited})`;
}

export function summary(ours: Figures, other: Figures | undefined): string {
  const short = ({ rest }: Figures): string =>
    `${Math.round(rest.writesPerPoll)} writes, ${Math.round(rest.transactions)} transactions/poll, ${Math.round(rest.residentMiB)} MiB`;
  return `sync rest: ${short(ours)}${other === undefined ? "" : `; ESO: ${short(other)}`}`;
}
