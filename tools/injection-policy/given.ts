/** An annotation of the pod or of its Namespace, and what is said of one that cannot mean what it says. */
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { DENIALS } from "../../src/domain/injection/messages.ts";
import { DNS_LABEL, LONGEST_LABEL, LONGEST_SUBDOMAIN } from "../../src/domain/kubernetes-names.ts";
import { type Bounds, bind, message, pieces, quoted, regex, text } from "./cel.ts";

const OWN = "object.metadata.annotations";
const DEFAULTS = "namespaceObject.metadata.?annotations";

export type Name = keyof typeof POD_ANNOTATIONS;

const keyOf = (name: Name): string => text(POD_ANNOTATIONS[name]);

/** The pod's own, as an optional string. */
export const ownOf = (name: Name): string => `${OWN}[?${keyOf(name)}]`;

/** The annotation that counts, as an optional string. */
export const given = (name: Name): string => `${ownOf(name)}.or(${DEFAULTS}[?${keyOf(name)}])`;

export const isOwn = (name: Name): string => `${keyOf(name)} in ${OWN}`;

/** What messages begin with. */
export function subjectOf(name: Name): string {
  const annotation = `annotation ${POD_ANNOTATIONS[name]}`;
  const place = `${text(`${annotation} of Namespace `)} + ${quoted("namespaceObject.metadata.name")}`;
  return `(${isOwn(name)} || !${given(name)}.hasValue() ? ${text(annotation)} : ${place})`;
}

/** What a pod is denied with whose annotation says something that it cannot mean. */
export function invalid(name: Name, problem: string): string {
  const value = quoted(`${given(name)}.orValue("")`);
  return `${message(DENIALS.invalid[1], { annotation: subjectOf(name), value, problem: text("") })} + ${problem}`;
}

/** The same of what is wrong with it, where that is not empty. */
export function invalidWhere(name: Name, wrong: string): string {
  return bind("wrong", wrong, `wrong == "" ? "" : ${invalid(name, "wrong")}`);
}

export const isLabel = (name: string): string => `(${name}.size() <= ${LONGEST_LABEL} && ${name}.matches(${regex(DNS_LABEL)}))`;

const SUBDOMAIN = DNS_LABEL.source.replace(/^\^/, "").replace(/\$$/, "");

export const isSubdomain = (name: string): string =>
  `(${name}.size() <= ${LONGEST_SUBDOMAIN} && ${name}.matches(${regex(`^${SUBDOMAIN}(\\.${SUBDOMAIN})*$`)}))`;

/** Of a list. */
export const MOST_ITEMS = 64;
const LIST: Bounds = { characters: 8_192, most: MOST_ITEMS };

/** An item that nothing can be called, and that says why. */
export const tooMuch = ({ characters, most }: Bounds): string => `["(more than ${most} items or ${characters} characters)"]`;

/** `a, b,c`, of an optional string; without it nothing. */
export const itemsOf = (value: string, bounds: Bounds, otherwise: string): string =>
  `${value}.optMap(value, ${pieces("value", ",", bounds, otherwise)}.map(item, item.trim())).orValue([])`;

export const items = (name: Name): string => itemsOf(given(name), LIST, tooMuch(LIST));
