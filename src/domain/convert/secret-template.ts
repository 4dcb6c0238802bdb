/** Converts those templates of External Secrets Operator that are only a value, functions of a value, or values with one separator. */

import { isJsonObject, type JsonObject, parsedJson } from "../json-object.ts";
import { failed, ok, type Result } from "../result.ts";
import { call, type DraftValue, type FunctionName } from "./class-draft.ts";

/** Returns the unprocessed value of a key of `data`, as the operator passes it to a template. */
export type ValueOfKey = (key: string) => DraftValue | undefined;

const TEMPLATE = "expressions cannot replace this template; store the finished value in the vault, or have the application assemble it";

/** Maximum length in characters. No template that is only a value is longer. */
const LONGEST = 10_000;

const OPEN = "{{";
const CLOSE = "}}";

/** First part of an action, before functions that follow a `|`. */
const REFERENCE = /^(?:\.([A-Za-z_][A-Za-z0-9_]*)|\(?index \. "([-._A-Za-z0-9]+)"\)?)$/;

/** Functions of templates, and the equal functions of expressions. Undefined: the function changes nothing. */
const FUNCTIONS: Readonly<Record<string, FunctionName | undefined>> = {
  toString: undefined,
  trim: "trim",
  b64enc: "base64",
  b64dec: "base64decode",
};

/** Functions that open a PKCS#12 file, which the vault stores as base64. Both results come directly from the file of a class. */
const PARTS: ReadonlyMap<string, FunctionName> = new Map([
  ["pkcs12cert", "certificates"],
  ["pkcs12key", "privateKey"],
]);

/** Converts the template of one key of `data` to a value. */
export function templateValue(text: string, valueOf: ValueOfKey): Result<DraftValue, string> {
  if (text.length > LONGEST) return failed(TEMPLATE);
  const template = parsedTemplate(text);
  const { texts, actions } = template;
  if (actions.length === 0)
    return failed("it is a fixed text, but a class writes only values from the vault; put it into a ConfigMap, or into the vault");
  const login = registryLogin(template, valueOf);
  if (login !== undefined) return login;
  const values: DraftValue[] = [];
  for (const action of actions) {
    const value = actionValue(action, valueOf);
    if (!value.ok) return value;
    values.push(value.value);
  }
  const between = texts.slice(1, -1);
  const [first, last] = [values[0], values.at(-1)];
  const isNothing = (around: string, value: DraftValue | undefined): boolean => (isPart(value) ? around.trim() : around) === "";
  if (first === undefined || !isNothing(texts[0] ?? "", first) || !isNothing(texts.at(-1) ?? "", last)) return failed(TEMPLATE);
  if (values.length === 1) return ok(first);
  const [separator = ""] = between;
  return between.every((each) => each === separator) ? ok(call("join", separator, ...values)) : failed(TEMPLATE);
}

/** Whether a template has whitespace before or after its value. A class omits whitespace around PEM, where it has no meaning. */
export function hasBlanksAround(text: string): boolean {
  const { texts } = parsedTemplate(text);
  return texts[0] !== "" || texts.at(-1) !== "";
}

interface Template {
  /** Texts before, between, and after the actions, so one more than actions. Without the whitespace that the dashes of actions remove. */
  readonly texts: readonly string[];
  /** Texts between the braces, without dashes and whitespace. */
  readonly actions: readonly string[];
}

/** Searches from brace to brace. A regular expression that searches for whitespace before a brace takes cubic time if there is no brace. */
function parsedTemplate(text: string): Template {
  const texts: string[] = [];
  const actions: string[] = [];
  let start = 0;
  let isTrimmed = false;
  for (;;) {
    const open = text.indexOf(OPEN, start);
    const close = open === -1 ? -1 : text.indexOf(CLOSE, open + OPEN.length);
    const before = text.slice(start, close === -1 ? undefined : open);
    const rest = isTrimmed ? withoutBlanksAtStart(before) : before;
    if (close === -1) return { texts: [...texts, rest], actions };
    const action = text.slice(open + OPEN.length, close);
    const startsWithDash = action.startsWith("-") && isBlank(action[1]);
    isTrimmed = action.endsWith("-") && isBlank(action.at(-2));
    texts.push(startsWithDash ? withoutBlanksAtEnd(rest) : rest);
    actions.push(action.slice(startsWithDash ? 1 : 0, isTrimmed ? -1 : undefined).trim());
    start = close + CLOSE.length;
  }
}

/** Whether a dash of an action removes the character. Go's templates define these four. */
function isBlank(character: string | undefined): boolean {
  return character !== undefined && " \t\r\n".includes(character);
}

function withoutBlanksAtStart(text: string): string {
  let start = 0;
  while (isBlank(text[start])) start += 1;
  return text.slice(start);
}

function withoutBlanksAtEnd(text: string): string {
  let end = text.length;
  while (isBlank(text[end - 1])) end -= 1;
  return text.slice(0, end);
}

function isPart(value: DraftValue | undefined): boolean {
  return value?.kind === "call" && [...PARTS.values()].includes(value.name);
}

function actionValue(action: string, valueOf: ValueOfKey): Result<DraftValue, string> {
  const [reference = "", ...functions] = action.split("|").map((part) => part.trim());
  const [, plain, indexed] = REFERENCE.exec(reference) ?? [];
  const key = plain ?? indexed;
  if (key === undefined) return failed(TEMPLATE);
  const value = valueOf(key);
  if (value === undefined) return failed(`it uses ${key}, which no entry of spec.data defines`);
  return applied(value, functions);
}

function applied(value: DraftValue, functions: readonly string[]): Result<DraftValue, string> {
  const last = functions.at(-1) ?? "";
  const part = PARTS.get(last);
  // A class opens the file of a certificate's secret itself, so nothing is left to decode.
  if (part !== undefined && functions.slice(0, -1).join() === "b64dec" && value.kind === "file")
    return ok(call(part, { ...value, object: { ...value.object, format: undefined } }));
  const unknown = functions.find((name) => !Object.hasOwn(FUNCTIONS, name));
  if (unknown !== undefined) return failed(TEMPLATE);
  return ok(
    functions.reduce<DraftValue>((inner, name) => {
      const known = FUNCTIONS[name];
      return known === undefined ? inner : call(known, inner);
    }, value),
  );
}

/**
 * Reads a Docker configuration with one registry, and with user and password from the vault. Undefined if the template is something else.
 */
function registryLogin({ texts, actions }: Template, valueOf: ValueOfKey): Result<DraftValue, string> | undefined {
  const marked = texts.map((text, index) => (index === 0 ? text : `${MARK}${index - 1}${MARK}${text}`)).join("");
  const document = parsedJson(marked);
  const auths = membersIn(document, "auths");
  const [registry, login] = Object.entries(auths ?? {})[0] ?? [];
  if (auths === undefined || Object.keys(auths).length !== 1 || registry === undefined || !isJsonObject(login)) return undefined;
  const beside = isJsonObject(document) ? Object.keys(document).filter((name) => name !== "auths") : [];
  if (beside.length > 0)
    return failed(`besides auths, it contains ${beside.join(", ")}, which a class does not write; store the finished value in the vault`);
  if (registry.includes(MARK))
    return failed(
      "the registry's name comes from the vault; write it literally, because dockerconfigjson of secretData takes a fixed name",
    );
  const [user, password] = [login["username"], login["password"]].map((field) => markedValue(field, actions, valueOf));
  const others = Object.keys(login).filter((field) => !["username", "password", "auth"].includes(field));
  if (user === undefined || password === undefined || others.length > 0) return failed(TEMPLATE);
  if (login["auth"] !== undefined && !isAuthOf(actionOf(login["auth"], actions), { user, password, valueOf }))
    return failed(
      'auth of the login is not its username and password, from which a class builds it; omit auth, or write it as {{ printf "%s:%s" … … | b64enc }} with both',
    );
  return ok(call("dockerconfigjson", registry, user, password));
}

const VALUE = String.raw`(\.\w+|\(index \. "[^"]+"\))`;
const AUTH = new RegExp(String.raw`^(?:\( ?)?printf "%s:%s" ${VALUE} ${VALUE}(?: ?\))? ?\| ?b64enc$`);

interface Login {
  readonly user: DraftValue;
  readonly password: DraftValue;
  readonly valueOf: ValueOfKey;
}

/** Whether an action encodes the user and password of the login, as `auth` of a Docker configuration requires. */
function isAuthOf(action: string | undefined, { user, password, valueOf }: Login): boolean {
  const [, ...references] = AUTH.exec(action?.replaceAll(/\s+/g, " ") ?? "") ?? [];
  const values = references.map((reference) => actionValue(reference, valueOf));
  return [user, password].every((wanted, index) => {
    const value = values[index];
    return value?.ok === true && JSON.stringify(value.value) === JSON.stringify(wanted);
  });
}

/** Replaces an action in a text. It is a Unicode noncharacter, so that no text of a manifest contains it. */
const MARK = "\uffff";

function membersIn(value: unknown, name: string): JsonObject | undefined {
  const found = isJsonObject(value) ? value[name] : undefined;
  return isJsonObject(found) ? found : undefined;
}

function markedValue(field: unknown, actions: readonly string[], valueOf: ValueOfKey): DraftValue | undefined {
  const read = actionValue(actionOf(field, actions) ?? "", valueOf);
  return read.ok ? read.value : undefined;
}

/** Returns the action if the field consists of only one action. */
function actionOf(field: unknown, actions: readonly string[]): string | undefined {
  if (typeof field !== "string" || !field.startsWith(MARK) || !field.endsWith(MARK)) return undefined;
  return actions[Number(field.slice(1, -1))];
}
