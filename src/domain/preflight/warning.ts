/**
 * Reasons of preflight warnings. The set is closed: the metric label, the audit annotation, and the log field use the same words. The list
 * in `docs/reference/preflight.md` must equal this one.
 */
export const PREFLIGHT_WARNINGS = [
  "PodDenied",
  "PodWarning",
  "ClassMissing",
  "ClassUnreadable",
  "WrongProvider",
  "CredentialsUnused",
  "UnknownAnnotation",
  "InvalidAnnotation",
  "UnknownParameter",
  "NullParameter",
  "InvalidClass",
  "InvalidObject",
  "IdentityUnavailable",
  "InvalidSecretObject",
  "ObjectNotInClass",
  "UnexpectedResult",
] as const;

export type PreflightReason = (typeof PREFLIGHT_WARNINGS)[number];

/** One mistake and its fix. The message may have any length; {@link shownWarnings} shortens it. */
export interface PreflightWarning {
  readonly reason: PreflightReason;
  readonly message: string;
  /** A sufficient text if the message is longer than a line. */
  readonly brief?: string;
}

export function preflightWarning(reason: PreflightReason, message: string, brief?: string): PreflightWarning {
  return { reason, message, ...(brief === undefined ? {} : { brief }) };
}

/** Kubernetes recommends at most 120 characters, and cuts at 256. */
const LINE = 120;
/** `kubectl` writes "Warning: " before every line, so that the second line of a warning would look like a new warning. */
const CONTINUED = "… ";
/** Maximum number of lines of one warning. An upstream error may be longer than people read in a terminal. */
const MOST_LINES = 3;
/**
 * Maximum number of lines in one answer. The API server allows 4096 characters for all webhooks together, and other webhooks need a part of
 * them.
 */
const MOST_SHOWN = 12;

/** Returns the lines that `kubectl` prints, each after `Warning: `. */
export function shownWarnings(warnings: readonly PreflightWarning[]): readonly string[] {
  const messages = new Set(warnings.map(({ message, brief = message }) => (message.length > LINE ? brief : message)));
  const lines = [...messages].flatMap(wrapped);
  const left = lines.length - MOST_SHOWN;
  return left > 0 ? [...lines.slice(0, MOST_SHOWN - 1), `${left + 1} more lines are not shown: correct these first`] : lines;
}

/**
 * Breaks the text between words into lines of at most 120 characters, and marks each line but the first. Replaces control characters,
 * because the API server drops a line that contains them.
 */
function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  let rest = text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
  while (rest.length > LINE && lines.length < MOST_LINES - 1) {
    const space = rest.lastIndexOf(" ", LINE);
    const end = space > LINE / 2 ? space : LINE;
    lines.push(rest.slice(0, end));
    rest = `${CONTINUED}${rest.slice(end).trimStart()}`;
  }
  return [...lines, rest.length > LINE ? `${rest.slice(0, LINE - 3)}...` : rest];
}
