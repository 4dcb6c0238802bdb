/** Templates of External Secrets Operator that are no more than a value, functions of it, or values with one text between them. */

import { isJsonObject, type JsonObject, parsedJson } from "../json-object.ts";
import { failed, ok, type Result } from "../result.ts";
import { call, type DraftValue, type FunctionName } from "./class-draft.ts";

/** The value of a key of `data`, raw: as the operator hands it to a template. */
export type ValueOfKey = (key: string) => DraftValue | undefined;

const TEMPLATE = "expressions cannot replace this template; store the finished value in the vault, or have the application assemble it";

/** No template that is a value is longer (characters). */
const LONGEST = 10_000;

const OPEN = "{{";
const CLOSE = "}}";

/** What an action begins with, before functions behind bars. */
const REFERENCE = /^(?:\.([A-Za-z_][A-Za-z0-9_]*)|\(?index \. "([-._A-Za-z0-9]+)"\)?)$/;

/** What a function of a template is among those of expressions; undefined: it changes nothing. */
const FUNCTIONS: Readonly<Record<string, FunctionName | undefined>> = {
  toString: undefined,
  trim: "trim",
  b64enc: "base64",
  b64dec: "base64decode",
};

/** They open a PKCS#12 file, which the vault has in base64. Of a class's file both are had as it is. */
const PARTS: ReadonlyMap<string, FunctionName> = new Map([
  ["pkcs12cert", "certificates"],
  ["pkcs12key", "privateKey"],
]);

/** The value of one key of a template's `data`. */
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

/** Whether a template that is a value has blanks before or behind it: they are left out around PEM, where they mean nothing. */
export function hasBlanksAround(text: string): boolean {
  const { texts } = parsedTemplate(text);
  return texts[0] !== "" || texts.at(-1) !== "";
}

interface Template {
  /** One more than actions: before, between and behind them, without the blanks that their dashes take away. */
  readonly texts: readonly string[];
  /** What stands between the braces, without dashes and blanks. */
  readonly actions: readonly string[];
}

/** By a search from brace to brace: an expression that looks for blanks before a brace takes cubic time where there is none. */
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

/** What a dash takes away beside its action: Go's templates know these four. */
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
  // The file of a certificate's secret is opened already, so that nothing is left to be decoded.
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

/** A docker configuration with one registry, and user and password from the vault. Undefined: it is none. */
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

/** Whether an action encodes the login's user and password, as `auth` of a Docker configuration has them. */
function isAuthOf(action: string | undefined, { user, password, valueOf }: Login): boolean {
  const [, ...references] = AUTH.exec(action?.replaceAll(/\s+/g, " ") ?? "") ?? [];
  const values = references.map((reference) => actionValue(reference, valueOf));
  return [user, password].every((wanted, index) => {
    const value = values[index];
    return value?.ok === true && JSON.stringify(value.value) === JSON.stringify(wanted);
  });
}

/** Stands for an action; no character, so that no text of a manifest means it. */
const MARK = "\uffff";

function membersIn(value: unknown, name: string): JsonObject | undefined {
  const found = isJsonObject(value) ? value[name] : undefined;
  return isJsonObject(found) ? found : undefined;
}

function markedValue(field: unknown, actions: readonly string[], valueOf: ValueOfKey): DraftValue | undefined {
  const read = actionValue(actionOf(field, actions) ?? "", valueOf);
  return read.ok ? read.value : undefined;
}

/** The one action that a field consists of. */
function actionOf(field: unknown, actions: readonly string[]): string | undefined {
  if (typeof field !== "string" || !field.startsWith(MARK) || !field.endsWith(MARK)) return undefined;
  return actions[Number(field.slice(1, -1))];
}
