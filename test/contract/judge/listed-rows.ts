/** The differences that docs/reference/compatibility.md names. A row allows its own difference only, not any that a case shows. */
import type { Outcome } from "./comparison.ts";

type Allows = (ours: Outcome, theirs: Outcome) => boolean;

const refusedBoth =
  (allows: (ours: string, theirs: string) => boolean): Allows =>
  (ours, theirs) =>
    ours.kind === "refused" && theirs.kind === "refused" && allows(ours.message, theirs.message);

const refusedByTheirs =
  (pattern: RegExp): Allows =>
  (ours, theirs) =>
    ours.kind === "done" && theirs.kind === "refused" && pattern.test(theirs.message);

const refusedByOurs =
  (pattern: RegExp): Allows =>
  (ours) =>
    ours.kind === "refused" && pattern.test(ours.message);

/** By id, which is the row's anchor in the page. */
const ALLOWED: Readonly<Record<string, Allows>> = {
  "modern-pfx": (_, theirs) =>
    theirs.kind === "refused" && /pkcs12: (?:unknown digest algorithm|algorithm .* is not supported)/.test(theirs.message),
  "refused-secrets": (ours, theirs) => ours.kind === "refused" && theirs.kind === "done",
  "hex-error": refusedBoth(
    (ours, theirs) => ours.startsWith("encoding/hex: invalid byte at input byte ") && theirs.startsWith("encoding/hex: invalid byte: U+"),
  ),
  "object-type-first": refusedBoth((ours) =>
    /(?:: Invalid vaultObjectTypes\. Should be secret, key, or cert|parameter \w+ cannot be empty)$/.test(ours),
  ),
  "without-a-pod": (_, theirs) =>
    theirs.kind === "refused" &&
    /^pod name(?:space)? is not provided$|failed to parse workload identity tokens|^pod namespace is not provided$/.test(theirs.message),
  "identity-modes": refusedByOurs(/(?:pod identity, which Azure has retired,|AKS identity binding) is not supported for synced Secrets/),
  "custom-cloud": (ours, theirs) =>
    refusedByTheirs(/common\/discovery\/instance[\s\S]*AADSTS50049/)(ours, theirs) ||
    refusedByOurs(/error: (?:cloudEnvFileName must be the name of a file|keyVaultDNSSuffix must be)/)(ours, theirs),
  "nil-content-type": (ours, theirs) =>
    ours.kind === "refused" &&
    ours.message.endsWith("unknown content type ''") &&
    theirs.kind === "refused" &&
    theirs.message.startsWith("the provider ended"),
  "objects-size": refusedByOurs(/yaml: (?:objects is longer|entries of objects expand to more) than \d+ characters$/),
};

export const LISTED_ROWS: readonly string[] = Object.keys(ALLOWED);

/** Whether the row is known and names this difference. */
export function rowAllows(row: string, ours: Outcome, theirs: Outcome): boolean {
  return ALLOWED[row]?.(ours, theirs) ?? false;
}

/** Rows that show in the texts alone, whatever the case is about. */
const BY_TEXT = ["hex-error", "modern-pfx", "identity-modes", "object-type-first"] as const;

export function rowByText(ours: Outcome, theirs: Outcome): string | undefined {
  return BY_TEXT.find((row) => rowAllows(row, ours, theirs));
}
