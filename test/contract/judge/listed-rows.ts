/** Differences that docs/reference/compatibility.md lists. A row allows only its own difference, not any difference of a case. */

/** Result of a case on one side. Keys of `parts`: `file:<path>` (base64), `mode:<path>`, `version:<uid>`, `data:<key>` (base64). */
export type Outcome =
  | { readonly kind: "done"; readonly parts: Readonly<Record<string, string>> }
  | { readonly kind: "refused"; readonly message: string };

type Allows = (ours: Outcome, theirs: Outcome) => boolean;

const refusedBoth =
  (allows: (ours: string, theirs: string) => boolean): Allows =>
  (ours, theirs) =>
    ours.kind === "refused" && theirs.kind === "refused" && allows(ours.message, theirs.message);

const refusedByTheirs =
  (pattern: RegExp): Allows =>
  (ours, theirs) =>
    ours.kind === "done" && theirs.kind === "refused" && pattern.test(theirs.message);

/** Messages of the written cases that only our side rejects. Any other message counts as a different difference. */
const REFUSED_SECRETS: ReadonlySet<string> = new Set([
  "Secrets of type kubernetes.io/service-account-token are never written",
  "Secrets of type bootstrap.kubernetes.io/token are never written",
  "Secrets of type helm.sh/release.v1 are never written",
  '"My_Secret" is not a valid Secret name',
  '"" is not a valid Secret name',
  '"a b" is not a valid Secret key',
  "labels cannot set argocd.argoproj.io/instance",
  "secretObjects 0 and 1 name the same Secret app",
  "data has 1048577 bytes, but a Secret can have 1048576; the largest entry is b with 524289",
]);

const TOO_NEW = /pkcs12: (?:unknown digest algorithm: |algorithm \S+ is not supported)/;
/** Go's checks of certificates and of RSA keys, which we do not make. */
const CHECKED_BY_GO =
  /(?:^|: )x509: (?:negative serial number|SAN dNSName is malformed|cannot parse (?:IP address of length \d+|URI ".*": .*)|invalid key usage|invalid authority info access|unsupported elliptic curve)$|: crypto\/rsa: public exponent too large$/;
/** Messages about the same file, or about parts after it. */
const AFTER_IT = /^(?:failed to get (?:objectType:|cert data from file )|file matching objectName |illegal base64 data |encoding\/hex: )/;

/** Messages of the provider after it has begun to fetch: about the vault's answer, or about the objects in it. */
const FETCHING =
  /^(?:failed to get objectType:[\s\S]*(?:GET https:|pkcs12|safe bag|certificate|key type|curve|leaf|asn1|illegal)|illegal base64 data |encoding\/hex: )/;

/** Message for a name without a version that the vault does not have. */
const ABSENT =
  /^failed to get objectType:(?:secret|key|cert), objectName:[-0-9A-Za-z]+, objectVersion:[0-9a-f]*: get .*: not found in the vault \(HTTP 404 \w+NotFound\)/;

const DISCOVERY = /common\/discovery\/instance[\s\S]*AADSTS50049/;
const GO_JSON = /error: (?:unexpected end of JSON input|invalid character .*)$/;
const OF_POD_IDENTITY = 'Get "http://localhost:2579/host/token/';
const OF_IDENTITY_BINDING =
  /^failed to (?:build auth config for mode AzureTokenProxy|get keyvault client: proxy transport not available): /;

const YAML_ERROR = /, error: yaml: /;
/** Errors of the syntax, not of the types. */
const YAML_SYNTAX = /, error: yaml: (?!unmarshal errors:)/;
/** Messages about an entry that only we can parse, or about its objects. */
const BEHIND_YAML = [YAML_ERROR, AFTER_IT, /^parameter \w+ cannot be empty$/] as const;

/** End of our message, where upstream's continues with the value that it found. */
const MISMATCH = / expected\) \w+$/;

/** End of our message about a private key, where upstream's continues with the cause. */
const UNKNOWN_KEY =
  /(?<=: pkcs12: error parsing PKCS#8 private key: |^pkcs12: error parsing PKCS#8 private key: )it is broken, or of an unknown kind$/;

/** Row for Secret data: upstream quotes the value if it is not a certificate. */
export const QUOTED_VALUE = "hex-error";

/** By id, which is the row's anchor on the page. */
const ALLOWED: Readonly<Record<string, Allows>> = {
  "modern-pfx": (ours, theirs) =>
    theirs.kind === "refused" &&
    (TOO_NEW.test(theirs.message) || CHECKED_BY_GO.test(theirs.message)) &&
    (ours.kind === "done" || AFTER_IT.test(ours.message)),
  "refused-secrets": (ours, theirs) => ours.kind === "refused" && REFUSED_SECRETS.has(ours.message) && theirs.kind === "done",
  [QUOTED_VALUE]: refusedBoth(
    (ours, theirs) =>
      (/^encoding\/hex: invalid byte at input byte \d+$/.test(ours) && theirs.startsWith("encoding/hex: invalid byte: U+")) ||
      (MISMATCH.test(ours) && theirs.startsWith(`${ours.replace(MISMATCH, "")} vs {class:`)) ||
      (UNKNOWN_KEY.test(ours) && theirs.startsWith(`${ours.replace(UNKNOWN_KEY, "")}x509: `)),
  ),
  "object-type-first": refusedBoth(
    (ours, theirs) =>
      /(?:: Invalid vaultObjectTypes\. Should be secret, key, or cert|parameter \w+ cannot be empty)$/.test(ours) && FETCHING.test(theirs),
  ),
  "without-a-pod": refusedByTheirs(
    /^pod name(?:space)? is not provided$|^failed to build auth config for mode \w+: failed to parse workload identity tokens, error: /,
  ),
  "identity-modes": refusedBoth(
    (ours, theirs) =>
      (ours.startsWith("pod identity, which Azure has retired, is not supported") && theirs.includes(OF_POD_IDENTITY)) ||
      (ours.startsWith("AKS identity binding is not supported") && OF_IDENTITY_BINDING.test(theirs)),
  ),
  "custom-cloud": (ours, theirs) =>
    refusedByTheirs(DISCOVERY)(ours, theirs) ||
    refusedBoth(
      (our, their) =>
        (our.endsWith("error: cloudEnvFileName must be the name of a file, without a folder") && DISCOVERY.test(their)) ||
        (our.endsWith("error: the file is not valid JSON") && GO_JSON.test(their)) ||
        (our.includes("error: keyVaultDNSSuffix must be") && /Get "https:\/\/[-a-z0-9]+\.\/secrets\//.test(their)),
    )(ours, theirs),
  "version-history": (ours, theirs) =>
    ours.kind === "refused" && ABSENT.test(ours.message) && (theirs.kind === "done" || FETCHING.test(theirs.message)),
  "nil-content-type": refusedBoth((ours, theirs) => ours.endsWith("unknown content type ''") && theirs.startsWith("the provider ended")),
  "yaml-syntax": (ours, theirs) => {
    if (theirs.kind !== "refused") return false;
    if (YAML_SYNTAX.test(theirs.message)) {
      return ours.kind === "done" || BEHIND_YAML.some((pattern) => pattern.test(ours.message));
    }
    return ours.kind === "refused" && YAML_SYNTAX.test(ours.message) && YAML_ERROR.test(theirs.message);
  },
  "objects-size": (ours, theirs) =>
    ours.kind === "refused" &&
    /yaml: (?:objects is longer|entries of objects expand to more) than \d+ characters$|^objects has \d+ entries; a class can have \d+$/.test(
      ours.message,
    ) &&
    theirs.kind === "done",
};

export const LISTED_ROWS: readonly string[] = Object.keys(ALLOWED);

/** Whether the row exists and allows this difference. */
export function rowAllows(row: string, ours: Outcome, theirs: Outcome): boolean {
  return ALLOWED[row]?.(ours, theirs) ?? false;
}

/** Rows that are recognizable from the texts alone, for any case. */
const BY_TEXT = [
  "version-history",
  QUOTED_VALUE,
  "modern-pfx",
  "identity-modes",
  "object-type-first",
  "yaml-syntax",
  "custom-cloud",
] as const;

export function rowByText(ours: Outcome, theirs: Outcome): string | undefined {
  return BY_TEXT.find((row) => rowAllows(row, ours, theirs));
}
