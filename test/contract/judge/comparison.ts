/** Results of a case on both sides, and the rules by which they are equal. Both comparisons use this form. */
import { type Outcome, rowAllows } from "./listed-rows.ts";

export interface Compared {
  /** For a generated case, derived from its input, so that equal inputs are one case. */
  readonly id: string;
  /** Rows of the specification that the case covers. */
  readonly rows: readonly string[];
  readonly isGenerated: boolean;
  readonly ours: Outcome;
  readonly theirs: Outcome;
  /** Row of docs/reference/compatibility.md that allows the difference. */
  readonly listed?: string;
}

export type Verdict =
  | { readonly kind: "equal" }
  | { readonly kind: "listed"; readonly row: string; readonly differences: readonly string[] }
  | { readonly kind: "unexplained"; readonly differences: readonly string[] };

interface Normalisation {
  readonly name: string;
  readonly pattern: RegExp;
  readonly replacement: string;
}

/** Applied only to error texts, never to contents. Everything else is compared to the last byte. */
const NORMALISATIONS: readonly Normalisation[] = [
  {
    name: "ids (GUIDs: correlation, request and trace ids)",
    pattern: /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
    replacement: "<id>",
  },
  { name: "ports of loopback addresses", pattern: /\b(127\.0\.0\.1|localhost):\d+/g, replacement: "$1:<port>" },
  { name: "times", pattern: /\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?Z?/g, replacement: "<time>" },
  { name: "temporary paths", pattern: /\/tmp\/[^\s:"']*/g, replacement: "<temporary path>" },
];

/**
 * If Key Vault, Entra or the network rejects a request, each side continues with the words of its own SDK. The text before them is compared
 * unchanged. Of the SDK's words, only the status and code of the answer, or Entra's code, or the absence of an answer is compared.
 */
const SDK_WORDS: readonly Normalisation[] = [
  {
    name: "the provider's SDK on an answer of Key Vault about an object",
    pattern:
      /GET https:\/\/([^/\s]+)\/+(secret|key|certificate)s\/([-0-9A-Za-z]+(?:(?=\/\n)|\/[-0-9A-Za-z]+(?=\n)))\/?\n-{20,}\nRESPONSE (\d+): [^\n]*\nERROR CODE: (\S+)\n[\s\S]*$/,
    replacement: "<$1 answers $4 $5 to $2s/$3>",
  },
  {
    name: "our words on such an answer",
    pattern: /get (secret|key|certificate) ([-0-9A-Za-z]+) from https:\/\/([^/]+)\/: .*\(HTTP (\d+) (\w+)[\s\S]*$/,
    replacement: "<$3 answers $4 $5 to $1s/$2>",
  },
  {
    name: "our words on such an answer about a version",
    pattern: /get (secret|key|certificate) ([-0-9A-Za-z]+), version ([-0-9A-Za-z]+) from https:\/\/([^/]+)\/: .*\(HTTP (\d+) (\w+)[\s\S]*$/,
    replacement: "<$4 answers $5 $6 to $1s/$2/$3>",
  },
  {
    name: "our words on such an answer about all versions",
    pattern: /list the versions of (secret|key|certificate) ([-0-9A-Za-z]+) from https:\/\/([^/]+)\/: .*\(HTTP (\d+) ([A-Za-z]\w*)[\s\S]*$/,
    replacement: "<$3 answers $4 $5 to $1s/$2/versions>",
  },
  {
    name: "the provider's SDK on an answer of Key Vault to a name or version that cannot be one",
    pattern: /GET https:\/\/[^\n]+\n-{20,}\nRESPONSE (\d+): [^\n]*\nERROR CODE: (\S+)\n[\s\S]*$/,
    replacement: "<Key Vault answers $1 $2>",
  },
  ...(["secret", "key", "certificate"] as const).map((kind) => ({
    name: `our words on a version of a ${kind} that cannot be one; Key Vault is not asked`,
    pattern: new RegExp(`get ${kind} [-0-9A-Za-z]{1,127}, version .* from https://.*: names and versions are 1 to 127 letters[\\s\\S]*$`),
    replacement: `<Key Vault answers 404 ${kind.charAt(0).toUpperCase()}${kind.slice(1)}NotFound>`,
  })),
  {
    name: "our words on a name that cannot be one; Key Vault is not asked",
    pattern:
      /(?:get|list the versions of) (?:secret|key|certificate) .* from https:\/\/.*: names and versions are 1 to 127 letters[\s\S]*$/,
    replacement: "<Key Vault answers 400 BadParameter>",
  },
  {
    name: "the provider's SDK on a refusal of Entra",
    pattern: /(?:Client(?:Secret|Assertion)|ManagedIdentity)Credential[ :][\s\S]*?(AADSTS\d+)[\s\S]*$/,
    replacement: "<Entra answers $1>",
  },
  {
    name: "our words on a refusal of Entra",
    pattern: /(?:get|list the versions of) (?:secret|key|certificate) .* from https:\/\/.*\((AADSTS\d+)\)[\s\S]*$/,
    replacement: "<Entra answers $1>",
  },
  {
    name: "the provider's SDK on an identity that the node does not have",
    pattern: /ManagedIdentityCredential[ :][\s\S]*(?:Identity not found|no assigned identity)[\s\S]*$/i,
    replacement: "<the node does not have this identity>",
  },
  {
    name: "our words on an identity that the node does not have",
    pattern:
      /(?:get|list the versions of) (?:secret|key|certificate) .* from https:\/\/.*: no token for the managed identity .* the node does not have this identity[\s\S]*$/,
    replacement: "<the node does not have this identity>",
  },
  {
    name: "the provider's SDK on a name that the proxy does not resolve",
    pattern: /Get "https:\/\/[^"]*": Bad Gateway$/,
    replacement: "<the proxy answers 502>",
  },
  {
    name: "our words on a name that the proxy does not resolve",
    pattern: /(?:get|list the versions of) (?:secret|key|certificate) .* from https:\/\/.*\(HTTP 502\)[\s\S]*$/,
    replacement: "<the proxy answers 502>",
  },
  {
    name: "our words where the SDK does not ask Entra, since the vault's challenge names another tenant",
    pattern: /(?:get|list the versions of) (?:secret|key|certificate) .* from https:\/\/.*: the vault does not belong to tenant [\s\S]*$/,
    replacement: "<no token of this tenant>",
  },
  {
    name: "Entra's refusal of a tenant",
    pattern: /<Entra answers AADSTS(?:90002|900023)>/,
    replacement: "<no token of this tenant>",
  },
];

/** Lines about the normalisations, so that a reader knows what was not compared. */
export function normalisationLines(): readonly string[] {
  return [...SDK_WORDS, ...NORMALISATIONS].map(
    ({ name, pattern, replacement }) => `normalised in error texts: ${name}: ${pattern} -> ${replacement}`,
  );
}

function normalised(message: string): string {
  return [...SDK_WORDS, ...NORMALISATIONS].reduce((text, { pattern, replacement }) => text.replace(pattern, replacement), message);
}

function differencesOf(ours: Outcome, theirs: Outcome): readonly string[] {
  if (ours.kind === "refused" && theirs.kind === "refused") {
    const [left, right] = [normalised(ours.message), normalised(theirs.message)];
    return left === right ? [] : [`ours refuses: ${left}`, `theirs refuses: ${right}`];
  }
  if (ours.kind === "refused") return [`ours refuses: ${ours.message}`, "theirs is done"];
  if (theirs.kind === "refused") return ["ours is done", `theirs refuses: ${theirs.message}`];
  const keys = [...new Set([...Object.keys(ours.parts), ...Object.keys(theirs.parts)])].sort();
  return keys
    .filter((key) => ours.parts[key] !== theirs.parts[key])
    .map((key) => `${key}: ours ${ours.parts[key] ?? "absent"}, theirs ${theirs.parts[key] ?? "absent"}`);
}

/** A listed row explains the difference that it names. A case may list a row that it does not need. */
export function compare({ ours, theirs, listed }: Compared): Verdict {
  const differences = differencesOf(ours, theirs);
  if (differences.length === 0) return { kind: "equal" };
  const isAllowed = listed !== undefined && rowAllows(listed, ours, theirs);
  return isAllowed ? { kind: "listed", row: listed, differences } : { kind: "unexplained", differences };
}

export interface Tally {
  /** The two lines of the summary. */
  readonly lines: readonly [covered: string, cases: string];
  readonly unexplained: readonly string[];
  readonly uncoveredRows: readonly string[];
  readonly unknownRows: readonly string[];
  /** Listed rows, and the number of cases that needed each. */
  readonly listedRows: Readonly<Record<string, number>>;
  /** Listed rows that no case needed: the difference no longer exists, or no case shows it. */
  readonly staleRows: readonly string[];
  readonly written: number;
  readonly generated: number;
  readonly generatedDone: number;
  readonly generatedRefused: number;
}

export interface Expectation {
  readonly specRows: readonly string[];
  readonly listedRows: readonly string[];
}

/** Each distinct case once. Two written cases with one id are a mistake in the list. */
function distinct(cases: readonly Compared[]): readonly Compared[] {
  const byId = new Map<string, Compared>();
  for (const entry of cases) {
    if (byId.has(entry.id) && !entry.isGenerated) throw new Error(`two cases are called ${entry.id}`);
    byId.set(entry.id, entry);
  }
  return [...byId.values()];
}

export function tally(all: readonly Compared[], { specRows, listedRows }: Expectation): Tally {
  const cases = distinct(all);
  const verdicts = cases.map((entry) => ({ entry, verdict: compare(entry) }));
  const covered = new Set(cases.flatMap(({ rows }) => rows));
  const needed: Record<string, number> = {};
  for (const { verdict } of verdicts) if (verdict.kind === "listed") needed[verdict.row] = (needed[verdict.row] ?? 0) + 1;
  const unexplained = verdicts.flatMap(({ entry, verdict }) =>
    verdict.kind === "unexplained" ? [`${entry.id}\n    ${verdict.differences.join("\n    ")}`] : [],
  );
  const listed = verdicts.filter(({ verdict }) => verdict.kind === "listed").length;
  const equal = verdicts.length - listed - unexplained.length;
  const generated = cases.filter(({ isGenerated }) => isGenerated);
  const rowsCovered = specRows.filter((row) => covered.has(row)).length;
  return {
    lines: [
      `spec rows covered ${rowsCovered}/${specRows.length}`,
      `${cases.length} cases, ${equal} equal, ${listed} listed differences, ${unexplained.length} unexplained`,
    ],
    unexplained,
    uncoveredRows: specRows.filter((row) => !covered.has(row)),
    unknownRows: [...covered].filter((row) => !specRows.includes(row)),
    listedRows: needed,
    staleRows: listedRows.filter((row) => needed[row] === undefined),
    written: cases.length - generated.length,
    generated: generated.length,
    generatedDone: generated.filter(({ theirs }) => theirs.kind === "done").length,
    generatedRefused: generated.filter(({ theirs }) => theirs.kind === "refused").length,
  };
}
