/** A LabelSelector as webhook configurations have it. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** The first condition that the labels do not meet, in words; undefined where the selector selects them. */
export function selectorProblem(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>>): string | undefined {
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    if (labels[key] !== value) return `label ${key} is not ${value}`;
  }
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    const label = labels[key];
    const isMet = {
      In: label !== undefined && values.includes(label),
      NotIn: label === undefined || !values.includes(label),
      Exists: label !== undefined,
      DoesNotExist: label === undefined,
    }[operator];
    if (isMet !== true) return `label ${key} ${operator}${values.length === 0 ? "" : ` ${values.join(", ")}`} does not hold`;
  }
  return undefined;
}
