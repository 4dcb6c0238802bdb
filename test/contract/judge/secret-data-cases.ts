/** Written cases of Secret data that are not of type kubernetes.io/tls, and of the checks before them. */
import { aCase, anObject, filesOf, type SecretDataCase } from "./secret-data-case.ts";

const LISTED = "refused-secrets";
const MEBIBYTE = 1_048_576;

const entry = (objectName: string, key: string) => ({ objectName, key });

function sourceCases(): readonly SecretDataCase[] {
  const path = "Secret data: source: file path matched by trimmed objectName";
  const twice = [...filesOf({ one: "earlier" }), ...filesOf({ one: "later" })];
  return [
    aCase("a file by its path", [path], {}),
    aCase("an objectName with spaces around", [path, "Secret data: trimming of name, type and key"], {
      object: anObject({ data: [entry("  one\t", "password")] }),
    }),
    aCase("an objectName with Unicode spaces around", [path], { object: anObject({ data: [entry("\u0085\u00a0one\u3000", "password")] }) }),
    aCase("an objectName after a byte order mark, which is no space", [path], { object: anObject({ data: [entry("\ufeffone", "p")] }) }),
    aCase("a file in a folder", ["Secret data: source: alias in a folder"], { object: anObject({ data: [entry("folder/two", "p")] }) }),
    aCase("a folder is no file", ["Secret data: source: alias in a folder"], { object: anObject({ data: [entry("folder", "p")] }) }),
    aCase("a path with a dot segment is another name", ["Secret data: source: alias in a folder"], {
      object: anObject({ data: [entry("./one", "p")] }),
    }),
    aCase("a path with two slashes is another name", ["Secret data: source: alias in a folder"], {
      object: anObject({ data: [entry("folder//two", "p")] }),
    }),
    aCase("the newest of a history", ["Secret data: source: history file name/0"], { object: anObject({ data: [entry("three/0", "p")] }) }),
    aCase("two of a history", ["Secret data: source: history file name/0"], {
      object: anObject({ data: [entry("three/0", "new"), entry("three/1", "old")] }),
    }),
    aCase("a version that the history lacks", ["Secret data: source: history file name/0"], {
      object: anObject({ data: [entry("three/2", "p")] }),
    }),
    aCase("a history's name without an index", ["Secret data: source: history file name/0"], {
      object: anObject({ data: [entry("three", "p")] }),
    }),
    { ...aCase("two files of one path", ["Secret data: source: the later of two files of one path"], {}), files: twice },
    aCase("a name in another case", [path], { object: anObject({ data: [entry("ONE", "p")] }) }),
    aCase("a file whose name has a space inside", [path], {
      object: anObject({ data: [entry("a b", "p")] }),
      files: { "a b": "x" },
    }),
    aCase("a file whose name is not ASCII", [path], { object: anObject({ data: [entry("größe", "p")] }), files: { größe: "x" } }),
  ];
}

function refusalCases(): readonly SecretDataCase[] {
  const order = "Secret data: order of the checks";
  return [
    aCase("no secretName", ["Secret data: secret name is empty"], { object: { type: "Opaque", data: [entry("one", "p")] } }),
    aCase("an empty secretName", ["Secret data: secret name is empty"], { object: anObject({ secretName: "" }) }),
    aCase("no type", ["Secret data: secret type is empty"], { object: { secretName: "app", data: [entry("one", "p")] } }),
    aCase("an empty type", ["Secret data: secret type is empty"], { object: anObject({ type: "" }) }),
    aCase("no data", ["Secret data: data is empty"], { object: { secretName: "app", type: "Opaque" } }),
    aCase("an empty data list", ["Secret data: data is empty"], { object: anObject({ data: [] }) }),
    aCase("an entry without objectName", ["Secret data: object name in secretObjects.data"], {
      object: anObject({ data: [{ key: "p" }] }),
    }),
    aCase("an objectName of spaces", ["Secret data: object name in secretObjects.data"], {
      object: anObject({ data: [entry(" \t ", "p")] }),
    }),
    aCase("an entry without key", ["Secret data: key in secretObjects.data is empty"], {
      object: anObject({ data: [{ objectName: "one" }] }),
    }),
    aCase("a key of spaces", ["Secret data: key in secretObjects.data is empty"], { object: anObject({ data: [entry("one", "  ")] }) }),
    aCase("a file that is not there", ["Secret data: file matching objectName X not found in the pod"], {
      object: anObject({ data: [entry("gone", "p")] }),
    }),
    aCase("no files at all", ["Secret data: file matching objectName X not found in the pod"], { files: {} }),
    aCase("a missing file in the second entry", ["Secret data: file matching objectName X not found in the pod"], {
      object: anObject({ data: [entry("one", "p"), entry("gone", "q")] }),
    }),
    aCase("nothing at all: the name comes first", [order], { object: {} }),
    aCase("no type and no data: the type comes first", [order], { object: { secretName: "app" } }),
    aCase("an entry with nothing: the objectName comes first", [order], { object: anObject({ data: [{}] }) }),
    aCase("a missing file and no key: the key comes first", [order], { object: anObject({ data: [{ objectName: "gone" }] }) }),
    aCase("two bad entries: the first one's problem", [order], { object: anObject({ data: [entry("gone", "p"), entry("", "q")] }) }),
    aCase("a bad key before a missing file: the file comes first", [order], {
      object: anObject({ data: [entry("one", "a b"), entry("gone", "p")] }),
    }),
    aCase("a bad secretName and a missing file: the file comes first", [order], {
      object: anObject({ secretName: "My_Secret", data: [entry("gone", "p")] }),
    }),
    aCase("a type that is never written and a missing file: the file comes first", [order], {
      object: anObject({ type: "bootstrap.kubernetes.io/token", data: [entry("gone", "p")] }),
    }),
    aCase("a label that is not ours to set and no key: the key comes first", [order], {
      object: anObject({ labels: { "argocd.argoproj.io/instance": "x" }, data: [{ objectName: "one" }] }),
    }),
    aCase("a secretObject of the same name before, and a missing file: the file comes first", [order], {
      object: anObject({ data: [entry("gone", "p")] }),
      before: [anObject()],
    }),
    aCase("the same problem where another secretObject is good", ["Secret data: one object failing, others continue"], {
      object: anObject({ data: [] }),
      before: [anObject({ secretName: "good" })],
    }),
    aCase("a good one after one that fails", ["Secret data: one object failing, others continue"], {
      before: [anObject({ secretName: "bad", type: "" }), anObject({ secretName: "worse", data: [entry("gone", "p")] })],
    }),
  ];
}

function typeCases(): readonly SecretDataCase[] {
  const passed = ["Secret data: type: any string is passed on", "Secret data: type: only TLS is transformed"] as const;
  const config = JSON.stringify({ auths: { "registry.example": { auth: "dTpw" } } });
  const pem = "-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\ntext behind\n";
  const ofType = (type: string, key: string, contents: string) =>
    aCase(`type ${type}`, passed, { object: anObject({ type, data: [entry("one", key)] }), files: { one: contents } });
  return [
    ofType("kubernetes.io/dockerconfigjson", ".dockerconfigjson", config),
    ofType("kubernetes.io/dockercfg", ".dockercfg", config),
    ofType("kubernetes.io/ssh-auth", "ssh-privatekey", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"),
    ofType("example.com/own", "anything", pem),
    ofType("opaque", "lower-case", pem),
    ofType("kubernetes.io/TLS", "tls.crt", pem),
    aCase("type kubernetes.io/basic-auth", passed, {
      object: anObject({ type: "kubernetes.io/basic-auth", data: [entry("one", "username"), entry("folder/two", "password")] }),
    }),
    aCase("basic-auth without its keys is left to the API server", passed, { object: anObject({ type: "kubernetes.io/basic-auth" }) }),
    aCase("dockerconfigjson that is no JSON is left to the API server", passed, {
      object: anObject({ type: "kubernetes.io/dockerconfigjson", data: [entry("one", ".dockerconfigjson")] }),
    }),
    aCase("PEM in an Opaque Secret stays as it is", ["Secret data: type: only TLS is transformed"], {
      object: anObject({ data: [entry("one", "tls.crt")] }),
      files: { one: pem },
    }),
    aCase("a type of spaces", ["Secret data: type: Opaque as the default in code"], { object: anObject({ type: "  " }) }),
    aCase("name, type and key with spaces around", ["Secret data: trimming of name, type and key"], {
      object: { secretName: " app ", type: "\tOpaque ", data: [entry("one", " password\n")] },
    }),
    ...["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token", "helm.sh/release.v1"].map((type) =>
      aCase(`type ${type}`, ["Secret data: type: any string is passed on"], { object: anObject({ type }), listed: LISTED }),
    ),
  ];
}

function valueCases(): readonly SecretDataCase[] {
  const raw = "Secret data: values are raw bytes";
  const every = Uint8Array.from({ length: 256 }, (_, index) => index);
  const valueOf = (what: string, contents: string | Uint8Array) => aCase(`a value ${what}`, [raw], { files: { one: contents } });
  const repeated = "Secret data: the same key twice: the later wins";
  const halves = { object: anObject({ data: [entry("one", "a"), entry("two", "b")] }) };
  return [
    valueOf("of every byte", every),
    valueOf("that is empty", ""),
    valueOf("with a line feed at its end", "text\n"),
    valueOf("with CRLF inside", "a\r\nb\r\n"),
    valueOf("that begins with a byte order mark", "\ufefftext"),
    valueOf("that is no UTF-8", Uint8Array.of(0xff, 0xfe, 0x80)),
    valueOf("that looks like base64", "aGk="),
    aCase("one file under two keys", [raw], { object: anObject({ data: [entry("one", "a"), entry("one", "b")] }) }),
    aCase("every character that a key takes", [raw], { object: anObject({ data: [entry("one", "-_.aZ09")] }) }),
    aCase("one key from two files", [repeated], { object: anObject({ data: [entry("one", "a"), entry("folder/two", "a")] }) }),
    aCase("one key from two files, spelled with spaces", [repeated], {
      object: anObject({ data: [entry("folder/two", "a"), entry("one", " a ")] }),
    }),
    aCase("one key twice, the second without a file", [repeated], { object: anObject({ data: [entry("one", "a"), entry("gone", "a")] }) }),
    aCase("two values of 1 MiB together", ["Secret data: no size check"], {
      ...halves,
      files: { one: new Uint8Array(MEBIBYTE / 2), two: new Uint8Array(MEBIBYTE / 2) },
    }),
    aCase("two values of more than 1 MiB together", ["Secret data: no size check"], {
      ...halves,
      files: { one: new Uint8Array(MEBIBYTE / 2), two: new Uint8Array(MEBIBYTE / 2 + 1) },
      listed: LISTED,
    }),
    aCase("one value of 1 MiB that a later one under its key replaces", ["Secret data: no size check", repeated], {
      object: anObject({ data: [entry("one", "a"), entry("two", "a")] }),
      files: { one: new Uint8Array(MEBIBYTE), two: new Uint8Array(8) },
    }),
    aCase("a key that no Secret takes", [raw], { object: anObject({ data: [entry("one", "a b")] }), listed: LISTED }),
    aCase("a name that no Secret takes", [raw], { object: anObject({ secretName: "My_Secret" }), listed: LISTED }),
    aCase("a name of spaces", [raw], { object: anObject({ secretName: "  " }), listed: LISTED }),
    aCase("a label of a tool that would take the Secret over", [raw], {
      object: anObject({ labels: { "argocd.argoproj.io/instance": "x" } }),
      listed: LISTED,
    }),
    aCase("a name that another secretObject has", [raw], { before: [anObject()], listed: LISTED }),
  ];
}

/** For cases of kubernetes.io/tls, see secret-data-tls-cases.ts. */
export function secretDataCases(): readonly SecretDataCase[] {
  return [...sourceCases(), ...refusalCases(), ...typeCases(), ...valueCases()];
}
