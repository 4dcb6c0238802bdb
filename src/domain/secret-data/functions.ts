/** All functions of expressions. They never throw, keep no state, and their errors contain no part of a value. */

import { bytesOf, concatenated, encodeBase64, encodeHex, textIn } from "../bytes.ts";
import { encodeBlocks, pemOf } from "../content/certificate-pem.ts";
import { decodeBase64, decodeHex } from "../encodings.ts";
import type { PemBlock } from "../ports/pki.ts";
import { failed, ok, type Result } from "../result.ts";
import { nodeAt, textOf } from "./document.ts";
import { connectionStringOf, dockerConfigOf, dotenvOf, npmrcOf } from "./files-for-tools.ts";
import { jksTrustStore, pemFromPkcs12, pkcs12, pkcs12TrustStore, type Using } from "./key-stores.ts";
import { parsePath } from "./property-path.ts";

export interface Parameter {
  readonly name: string;
  /** Whether the class contains the text itself, in quotation marks. */
  readonly isText?: true;
  readonly isOptional?: true;
}

export interface ExpressionFunction {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** Number of last parameters that may repeat. */
  readonly repeated?: number;
  /** Description of the result, for the reference. */
  readonly gives: string;
  /** Description of the failures, for the reference. */
  readonly fails: string;
  readonly apply: (values: readonly Uint8Array[], using: Using) => Result<Uint8Array, string>;
}

type Bytes = Result<Uint8Array, string>;

const NEVER = "never";
const NO_BASE64 = "it is not base64 with padding";
const NO_HEX = "it contains anything other than pairs of hexadecimal digits";

/** Replaces the error with one that does not state a position in the value. */
function withError(made: Bytes, error: string): Bytes {
  return made.ok ? made : failed(error);
}
const NOTHING = new Uint8Array();

function firstOf(change: (value: Uint8Array, using: Using) => Bytes): ExpressionFunction["apply"] {
  return ([value = NOTHING], using) => change(value, using);
}

/** Wraps a function of texts as a function of values. */
function ofTexts(change: (texts: readonly string[]) => Result<string, string>): ExpressionFunction["apply"] {
  return (values) => {
    const texts: string[] = [];
    for (const value of values) {
      const text = textIn(value);
      if (!text.ok) return text;
      texts.push(text.value);
    }
    const changed = change(texts);
    return changed.ok ? ok(bytesOf(changed.value)) : changed;
  };
}

const ofText = (change: (text: string) => string): ExpressionFunction["apply"] => ofTexts(([text = ""]) => ok(change(text)));

function property([value = NOTHING, path = NOTHING]: readonly Uint8Array[], { document }: Using): Bytes {
  const root = document(value);
  if (!root.ok) return root;
  const steps = parsePath(new TextDecoder().decode(path));
  const node = steps.ok ? nodeAt(root.value, steps.value) : undefined;
  return node === undefined ? failed("it has no such property") : ok(bytesOf(textOf(node)));
}

/** Encodes everything but the unreserved characters of RFC 3986. */
function percentEncoded(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed());
  return encoded.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

const isCertificate = ({ type }: PemBlock): boolean => type === "CERTIFICATE";

function certificatesOf(pick: (blocks: readonly PemBlock[]) => readonly PemBlock[], missing: string): ExpressionFunction["apply"] {
  return firstOf((value, { pki }) => {
    const picked = pick(pki.decodePem(value).blocks.filter(isCertificate));
    return picked.length === 0 ? failed(missing) : ok(encodeBlocks(picked, pki));
  });
}

function privateKey(value: Uint8Array, { pki }: Using): Bytes {
  const block = pki.decodePem(value).blocks.find((each) => !isCertificate(each));
  if (block === undefined) return failed("it contains no private key");
  const key = pki.readPrivateKey(block.der);
  return key === undefined || key.kind === "other" ? failed("its key is neither RSA nor ECDSA") : ok(pemOf("PRIVATE KEY", key.pkcs8, pki));
}

const VALUE: Parameter = { name: "value" };
const PASSWORD: Parameter = { name: "password" };
const NO_CERTIFICATE = "it contains no certificate";

export const FUNCTIONS: readonly ExpressionFunction[] = [
  {
    name: "property",
    parameters: [VALUE, { name: "path", isText: true }],
    gives:
      'The value of a property in a JSON or YAML text. A string becomes its text, without quotes and with escapes such as `\\n` decoded. Numbers, `true`, and `false` remain as written. Lists and mappings become JSON without spaces. In the path, dots separate names, `[0]` is the first list item, and `["a.b"]` is a name that contains a dot',
    fails: "the value is neither JSON nor YAML, or lacks the property",
    apply: property,
  },
  {
    name: "base64",
    parameters: [VALUE],
    gives: "The value encoded as base64, with padding",
    fails: NEVER,
    apply: firstOf((value) => ok(bytesOf(encodeBase64(value)))),
  },
  {
    name: "base64decode",
    parameters: [VALUE],
    gives: "The bytes that the base64 text encodes",
    fails: "the text is not base64 with padding",
    apply: firstOf((value) => withError(decodeBase64(value), NO_BASE64)),
  },
  {
    name: "hex",
    parameters: [VALUE],
    gives: "The value encoded as hexadecimal, with two lowercase digits for each byte",
    fails: NEVER,
    apply: firstOf((value) => ok(bytesOf(encodeHex(value)))),
  },
  {
    name: "hexdecode",
    parameters: [VALUE],
    gives: "The bytes that the hex digits encode",
    fails: "the text contains anything other than pairs of hexadecimal digits",
    apply: firstOf((value) => withError(decodeHex(value), NO_HEX)),
  },
  {
    name: "trim",
    parameters: [VALUE],
    gives: "The text without leading and trailing whitespace",
    fails: "the value is not UTF-8 text",
    apply: ofText((text) => text.trim()),
  },
  {
    name: "lower",
    parameters: [VALUE],
    gives: "The text in lowercase",
    fails: "the value is not UTF-8 text",
    apply: ofText((text) => text.toLowerCase()),
  },
  {
    name: "upper",
    parameters: [VALUE],
    gives: "The text in uppercase",
    fails: "the value is not UTF-8 text",
    apply: ofText((text) => text.toUpperCase()),
  },
  {
    name: "uri",
    parameters: [VALUE],
    gives: "The text, percent-encoded for use in a URL",
    fails: "the value is not UTF-8 text",
    apply: ofText(percentEncoded),
  },
  {
    name: "join",
    parameters: [{ name: "separator", isText: true }, VALUE],
    repeated: 1,
    gives: "The values, joined with the separator",
    fails: NEVER,
    apply: ([separator = NOTHING, ...values]) =>
      ok(concatenated(values.flatMap((value, index) => (index === 0 ? [value] : [separator, value])))),
  },
  {
    name: "certificates",
    parameters: [{ name: "pem" }],
    gives: "All certificates in a PEM text, in order",
    fails: "the text contains no certificate",
    apply: certificatesOf((blocks) => blocks, NO_CERTIFICATE),
  },
  {
    name: "leafCertificate",
    parameters: [{ name: "pem" }],
    gives: "The first certificate in a PEM text",
    fails: "the text contains no certificate",
    apply: certificatesOf((blocks) => blocks.slice(0, 1), NO_CERTIFICATE),
  },
  {
    name: "issuerCertificates",
    parameters: [{ name: "pem" }],
    gives: "All certificates in a PEM text except the first",
    fails: "the text has no second certificate",
    apply: certificatesOf((blocks) => blocks.slice(1), "it contains no second certificate"),
  },
  {
    name: "privateKey",
    parameters: [{ name: "pem" }],
    gives: "The private key in a PEM text, as PKCS#8",
    fails: "the text has no private key, or the key is neither RSA nor ECDSA",
    apply: firstOf(privateKey),
  },
  {
    name: "pkcs12",
    parameters: [{ name: "pem" }, PASSWORD],
    gives:
      "A PKCS#12 key store with the private key and the certificates of a PEM text. The first certificate in the text must be the one that belongs to the key. `keytool` and OpenSSL can read the key store. Java accepts only ASCII passwords",
    fails: "the text has no key, its first certificate does not belong to the key, or the password is empty",
    apply: pkcs12,
  },
  {
    name: "pkcs12TrustStore",
    parameters: [{ name: "pem" }, PASSWORD],
    gives: "A PKCS#12 trust store that Java can read, with the certificates of a PEM text",
    fails: "the text has no certificate, or the password is empty",
    apply: pkcs12TrustStore,
  },
  {
    name: "jksTrustStore",
    parameters: [{ name: "pem" }, PASSWORD],
    gives: "A trust store in Java's older JKS format, with the certificates of a PEM text",
    fails: "the text has no certificate, or the password is empty",
    apply: jksTrustStore,
  },
  {
    name: "pemFromPkcs12",
    parameters: [VALUE, PASSWORD],
    gives: "The keys (as PKCS#8) and the certificates of a password-protected PKCS#12 file, as PEM",
    fails: "the value is not a PKCS#12 file, or the password is wrong",
    apply: pemFromPkcs12,
  },
  {
    name: "dotenv",
    parameters: [VALUE],
    gives:
      "A line `NAME=value` for each entry of a JSON or YAML mapping, with quotes if needed. Shells, Node, dotenv, dotenv-expand, and python-dotenv can read the result. `kubectl create secret --from-env-file` does not accept multi-line values",
    fails:
      "the value is not a mapping, a name is not a valid variable name, a value contains a null character, or the named tools would not all read a value in the same way, because of its quotation marks, backslashes, dollar signs, or carriage returns",
    apply: firstOf((value, { document }) => {
      const root = document(value);
      const lines = root.ok ? dotenvOf(root.value) : root;
      return lines.ok ? ok(bytesOf(lines.value)) : lines;
    }),
  },
  {
    name: "npmrc",
    parameters: [{ name: "registry" }, { name: "token" }, { name: "scope", isOptional: true }],
    gives: "An `.npmrc` file for npm with the registry (for all packages or for a scope such as `@shop`) and the token for the registry",
    fails:
      "the registry is not an `http` or `https` URL, the token contains characters or words with a special meaning in `.npmrc`, or the scope is not a name such as `@shop`",
    apply: ofTexts(([registry = "", token = "", scope]) => npmrcOf(registry, token, scope)),
  },
  {
    name: "dockerconfigjson",
    parameters: [{ name: "registry" }, { name: "user" }, { name: "password" }],
    repeated: 3,
    gives: "The content of a `kubernetes.io/dockerconfigjson` Secret, for one or more registries",
    fails: "a registry is empty or contains a space, or a user contains a colon",
    apply: ofTexts(dockerConfigOf),
  },
  {
    name: "connectionString",
    parameters: [{ name: "key", isText: true }, VALUE],
    repeated: 2,
    gives: "A connection string `Key=value;…` for ADO.NET, with quotes if needed",
    fails: "a key is not a name such as `Server` or `User ID`, or a value contains a control character",
    apply: ofTexts(connectionStringOf),
  },
];

const byName = new Map(FUNCTIONS.map((each) => [each.name, each]));

export function findFunction(name: string): ExpressionFunction | undefined {
  return byName.get(name);
}

/** Returns the signature, such as `property(value, "path")` or `join("separator", value, …)`. */
export function signatureOf({ name, parameters, repeated }: Pick<ExpressionFunction, "name" | "parameters" | "repeated">): string {
  const written = parameters.map((each) => `${each.isText ? `"${each.name}"` : each.name}${each.isOptional ? "?" : ""}`);
  return `${name}(${[...written, ...(repeated === undefined ? [] : ["…"])].join(", ")})`;
}
