/** Values that a process reports, by series. */
export interface Samples {
  /** Sum of the series of this name that have these labels; undefined where there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
  /** Labels of every series of the name. */
  labels(name: string): readonly Readonly<Record<string, string>>[];
}

/** Prometheus text; names are ours without their prefix. */
export function samplesOf(text: string): Samples {
  const all = text.split("\n").flatMap((line) => {
    const [, name, inBraces = "", value] = /^keyvault_injector_(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const labels = Object.fromEntries([...inBraces.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = "", labelled = ""]) => [label, labelled]));
    return [{ name, labels, value: Number(value) }];
  });
  const named = (name: string) => all.filter((sample) => sample.name === name);
  return {
    value: (name, labels = {}) => {
      const found = named(name).filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value));
      return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
    },
    labels: (name) => named(name).map(({ labels }) => labels),
  };
}
