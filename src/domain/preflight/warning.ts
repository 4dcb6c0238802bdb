/**
 * What a preflight check may warn of. A closed set: the same word stands in the metric label, the audit annotation and the log
 * field. `docs/reference/preflight.md` is checked against it.
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

/** One thing that is wrong, and what to write instead. The message may be of any length; {@link shownWarnings} fits it. */
export interface PreflightWarning {
  readonly reason: PreflightReason;
  readonly message: string;
  /** What says enough where the message is longer than a line. */
  readonly brief?: string;
}

export function preflightWarning(reason: PreflightReason, message: string, brief?: string): PreflightWarning {
  return { reason, message, ...(brief === undefined ? {} : { brief }) };
}

/** Kubernetes asks for 120 characters, and cuts at 256. */
const LINE = 120;
/** `kubectl` writes "Warning: " before every line, so that the rest of a warning looks like another one. */
const CONTINUED = "… ";
/** Of one warning. The whole of an upstream error may be longer than anybody reads in a terminal. */
const MOST_LINES = 3;
/** Of one answer: all webhooks together get 4096 characters, and others have something to say too. */
const MOST_SHOWN = 12;

/** As `kubectl` will print them, each line with `Warning: ` before it. */
export function shownWarnings(warnings: readonly PreflightWarning[]): readonly string[] {
  const messages = new Set(warnings.map(({ message, brief = message }) => (message.length > LINE ? brief : message)));
  const lines = [...messages].flatMap(wrapped);
  const left = lines.length - MOST_SHOWN;
  return left > 0 ? [...lines.slice(0, MOST_SHOWN - 1), `${left + 1} more lines are not shown: correct these first`] : lines;
}

/** The text in lines of at most 120 characters, broken between words, each but the first with a mark. Control characters would make the API server drop the line. */
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
