/** Reads an annotation of the pod or its Namespace, and builds the message about an invalid value. */
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { DENIALS } from "../../src/domain/injection/messages.ts";
import { DNS_LABEL, LONGEST_LABEL, LONGEST_SUBDOMAIN } from "../../src/domain/kubernetes-names.ts";
import { type Bounds, bind, message, pieces, quoted, regex, text } from "./cel.ts";

const OWN = "object.metadata.annotations";
const DEFAULTS = "namespaceObject.metadata.?annotations";

export type Name = keyof typeof POD_ANNOTATIONS;

const keyOf = (name: Name): string => text(POD_ANNOTATIONS[name]);

/** The pod's own annotation, as an optional string. */
export const ownOf = (name: Name): string => `${OWN}[?${keyOf(name)}]`;

/** The annotation that applies, as an optional string. */
export const given = (name: Name): string => `${ownOf(name)}.or(${DEFAULTS}[?${keyOf(name)}])`;

export const isOwn = (name: Name): string => `${keyOf(name)} in ${OWN}`;

/** Start of the messages about an annotation. */
export function subjectOf(name: Name): string {
  const annotation = `annotation ${POD_ANNOTATIONS[name]}`;
  const place = `${text(`${annotation} of Namespace `)} + ${quoted("namespaceObject.metadata.name")}`;
  return `(${isOwn(name)} || !${given(name)}.hasValue() ? ${text(annotation)} : ${place})`;
}

/** Message with which the policy denies a pod that has an invalid annotation. */
export function invalid(name: Name, problem: string): string {
  const value = quoted(`${given(name)}.orValue("")`);
  return `${message(DENIALS.invalid[1], { annotation: subjectOf(name), value, problem: text("") })} + ${problem}`;
}

/** The same message for a problem, or an empty text if the problem is empty. */
export function invalidWhere(name: Name, wrong: string): string {
  return bind("wrong", wrong, `wrong == "" ? "" : ${invalid(name, "wrong")}`);
}

export const isLabel = (name: string): string => `(${name}.size() <= ${LONGEST_LABEL} && ${name}.matches(${regex(DNS_LABEL)}))`;

const SUBDOMAIN = DNS_LABEL.source.replace(/^\^/, "").replace(/\$$/, "");

export const isSubdomain = (name: string): string =>
  `(${name}.size() <= ${LONGEST_SUBDOMAIN} && ${name}.matches(${regex(`^${SUBDOMAIN}(\\.${SUBDOMAIN})*$`)}))`;

/** Most items of a list. */
export const MOST_ITEMS = 64;
const LIST: Bounds = { characters: 8_192, most: MOST_ITEMS };

/** A list whose one item is not a valid name and explains the limit. */
export const tooMuch = ({ characters, most }: Bounds): string => `["(more than ${most} items or ${characters} characters)"]`;

/** Trimmed items of an optional string such as `a, b,c`. Empty if the string is missing. */
export const itemsOf = (value: string, bounds: Bounds, otherwise: string): string =>
  `${value}.optMap(value, ${pieces("value", ",", bounds, otherwise)}.map(item, item.trim())).orValue([])`;

export const items = (name: Name): string => itemsOf(given(name), LIST, tooMuch(LIST));
