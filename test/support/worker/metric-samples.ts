/** Values of a process's metrics, by series. */
export interface Samples {
  /** Sum of the series with this name and these labels. Undefined if none exists. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
  /** Labels of every series with the name. */
  labels(name: string): readonly Readonly<Record<string, string>>[];
}

/** Reads Prometheus text. Names are ours without the prefix. */
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
