/** Returns the reasons why a name is refused, in the API server's words. Empty if it is not. */
export type NameRule = (name: string) => readonly string[];

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const KEY_PART = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE = `(${KEY_PART})?`;

const labelPattern = new RegExp(`^${LABEL}$`);
const subdomainPattern = new RegExp(`^${SUBDOMAIN}$`);
const serviceName = "[a-z]([-a-z0-9]*[a-z0-9])?";
const keyPartPattern = new RegExp(`^${KEY_PART}$`);
const labelValuePattern = new RegExp(`^${LABEL_VALUE}$`);

const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const KEY_RULE = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

function byPattern(rule: string, pattern: string, ...examples: readonly string[]): string {
  return `${rule} (e.g. ${examples.map((example) => `'${example}', `).join(" or ")}regex used for validation is '${pattern}')`;
}

function atMost(bytes: number): string {
  return `must be no more than ${bytes} bytes`;
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

export const isSubdomain: NameRule = (name) => [
  ...(bytesOf(name) > 253 ? [atMost(253)] : []),
  ...(subdomainPattern.test(name) ? [] : [byPattern(SUBDOMAIN_RULE, SUBDOMAIN, "example.com")]),
];

export const isLabel: NameRule = (name) => {
  const tooLong = bytesOf(name) > 63 ? [atMost(63)] : [];
  if (labelPattern.test(name)) return tooLong;
  return [...tooLong, subdomainPattern.test(name) ? "must not contain dots" : byPattern(LABEL_RULE, LABEL, "my-name", "123-abc")];
};

export const isServiceName: NameRule = (name) => {
  const rule =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  const fits = new RegExp(`^${serviceName}$`).test(name);
  return [...(bytesOf(name) > 63 ? [atMost(63)] : []), ...(fits ? [] : [byPattern(rule, serviceName, "my-name", "abc-123")])];
};

/** Accepts all names that a path segment can contain. */
export const isPathSegment: NameRule = (name) => {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return ["/", "%"].filter((illegal) => name.includes(illegal)).map((illegal) => `may not contain '${illegal}'`);
};

/** Accepts keys of labels and annotations, finalizers, and the like: a name, optionally after a DNS name. */
export const isQualifiedName: NameRule = (key) => {
  const parts = key.split("/");
  const [name = "", prefix] = parts.length === 2 ? [parts[1], parts[0]] : [parts[0]];
  const rule = byPattern(KEY_RULE, KEY_PART, "MyName", "my.name", "123-abc");
  if (parts.length > 2) return [`a valid label key ${rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  return [
    ...(prefix === undefined
      ? []
      : prefix === ""
        ? ["prefix part must be non-empty"]
        : isSubdomain(prefix).map((why) => `prefix part ${why}`)),
    ...(name === "" ? ["name part must be non-empty"] : bytesOf(name) > 63 ? [`name part ${atMost(63)}`] : []),
    ...(keyPartPattern.test(name) ? [] : [`name part ${rule}`]),
  ];
};

export const isLabelValue: NameRule = (value) => {
  const rule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [
    ...(bytesOf(value) > 63 ? [atMost(63)] : []),
    ...(labelValuePattern.test(value) ? [] : [byPattern(rule, LABEL_VALUE, "MyValue", "my_value", "12345")]),
  ];
};

/** Accepts keys of the data of a Secret or ConfigMap. */
export const isDataKey: NameRule = (key) => {
  const rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
  return [
    ...(bytesOf(key) > 253 ? [atMost(253)] : []),
    ...(/^[-._a-zA-Z0-9]+$/.test(key) ? [] : [byPattern(rule, "[-._a-zA-Z0-9]+", "key.name", "KEY_NAME", "key-name")]),
    ...(key === "." ? ["must not be '.'"] : key === ".." ? ["must not be '..'"] : key.startsWith("..") ? ["must not start with '..'"] : []),
  ];
};
