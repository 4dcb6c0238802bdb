/** Rules for a secretObject, apart from its data. Each check is about one thing, and the first failure decides. */
import { inPlaceOf, isPlaceholder } from "../placeholder.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import { quoted } from "../quoted.ts";
import type { SecretObjectEntries } from "../secret-data/data-entries.ts";
import type { SecretObjectProblem } from "./desired-secret.ts";
import { expressionViolation } from "./expression-problem.ts";
import { isTlsKey, TLS_TYPE } from "./tls.ts";

/** A Kubernetes DNS subdomain name. */
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const MAX_SUBDOMAIN = 253;

/**
 * The API server or a tool acts on Secrets of these types: tokens of ServiceAccounts, join tokens of nodes, and release records of Helm.
 */
const FORBIDDEN_TYPES = new Set(["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token", "helm.sh/release.v1"]);

/**
 * Helm reads each Secret with this label, or with a name of this kind, as a record of a release, whatever its type. The next Helm command
 * then runs the hooks in it and deletes the objects in it, with the permissions of the user who runs Helm.
 */
const HELM_LABEL = { key: "owner", value: "helm" } as const;
const HELM_RECORD = /^sh\.helm\.release\.v1\./;

/**
 * Keys of this project and the driver's label would forge ownership. With a key of a GitOps tool, the tool would treat the Secret as its
 * own, and delete or overwrite it.
 */
const FORBIDDEN_KEYS =
  /^(?:(?:keyvault-injector\.dev|argocd\.argoproj\.io|(?:[^/]*\.)?fluxcd\.io)\/|secrets-store\.csi\.k8s\.io\/managed$)/;

/** Whether a class must not write a label or annotation with this key on a Secret. */
export function isReservedKey(key: string): boolean {
  return FORBIDDEN_KEYS.test(key);
}

type Check = (object: SecretObjectEntries) => SecretObjectProblem | undefined;

function refusal(reason: SecretObjectProblem["reason"], field: string, message: string, hint: string): SecretObjectProblem {
  return { reason, field, message, hint };
}

const nameIsMissing: Check = ({ secretName }) =>
  secretName ? undefined : refusal("InvalidClass", "secretName", "secret name is empty", "set it to the name of the Secret to write");

const typeIsMissing: Check = ({ type }) =>
  type ? undefined : refusal("InvalidClass", "type", "secret type is empty", "write Opaque, or one of the other types of Kubernetes");

const dataIsMissing: Check = ({ data, isSelected }) =>
  isSelected || (data && data.length > 0)
    ? undefined
    : refusal("InvalidClass", "data", "data is empty", "list at least one entry with objectName and key");

const nameIsNoSubdomain: Check = ({ secretName = "" }) => {
  const name = trimSpace(secretName);
  if (name.length <= MAX_SUBDOMAIN && SUBDOMAIN.test(name)) return undefined;
  const hint = isPlaceholder(name)
    ? `write the name of the Secret${inPlaceOf(name)}`
    : "use lower-case letters, digits, - and ., starting and ending with a letter or digit, at most 253 characters";
  return refusal("InvalidClass", "secretName", `${JSON.stringify(name)} is not a valid Secret name`, hint);
};

const typeIsForbidden: Check = ({ type = "" }) =>
  FORBIDDEN_TYPES.has(trimSpace(type))
    ? refusal("ForbiddenType", "type", `Secrets of type ${trimSpace(type)} are never written`, "use Opaque")
    : undefined;

const nameIsHelms: Check = ({ secretName = "" }) =>
  HELM_RECORD.test(trimSpace(secretName))
    ? refusal(
        "InvalidClass",
        "secretName",
        `${trimSpace(secretName)} is the name of a Helm release record`,
        "choose a name that does not begin with sh.helm.release.v1.",
      )
    : undefined;

const labelIsHelms: Check = ({ labels = {} }) =>
  labels[HELM_LABEL.key] === HELM_LABEL.value
    ? refusal(
        "InvalidClass",
        `labels[${HELM_LABEL.key}]`,
        `labels cannot set ${HELM_LABEL.key} to ${HELM_LABEL.value}`,
        "remove it: Helm would read the Secret as a record of a release",
      )
    : undefined;

function forbiddenKey(field: "labels" | "annotations"): Check {
  return (object) => {
    const key = Object.keys(object[field] ?? {}).find(isReservedKey);
    return key === undefined
      ? undefined
      : refusal(
          "InvalidClass",
          `${field}[${key}]`,
          `${field} cannot set ${key}`,
          "remove it: it is reserved for the tool that its domain names",
        );
  };
}

const driverChecks: readonly Check[] = [nameIsMissing, typeIsMissing, dataIsMissing];

/** Checks for content that the API server rejects, or that the worker must not write. */
const furtherChecks: readonly Check[] = [
  nameIsNoSubdomain,
  nameIsHelms,
  typeIsForbidden,
  labelIsHelms,
  forbiddenKey("labels"),
  forbiddenKey("annotations"),
];

function firstOf(checks: readonly Check[], object: SecretObjectEntries): SecretObjectProblem | undefined {
  for (const check of checks) {
    const problem = check(object);
    if (problem) return problem;
  }
  return undefined;
}

const DATA_KEY = /^[-._a-zA-Z0-9]{1,253}$/;

function isValidKey(key: string): boolean {
  return DATA_KEY.test(key) && key !== "." && !key.startsWith("..");
}

function keysOf({ data }: SecretObjectEntries): readonly string[] {
  return (data ?? []).map(({ key = "" }) => trimSpace(key));
}

/** Finds a key that the API server rejects in every Secret. */
export function keyViolation(object: SecretObjectEntries): SecretObjectProblem | undefined {
  const keys = keysOf(object);
  const index = keys.findIndex((key) => !isValidKey(key));
  if (index < 0) return undefined;
  const key = keys[index] ?? "";
  const hint = isPlaceholder(key) ? `write a key of the Secret${inPlaceOf(key)}` : "use letters, digits, -, _ and .";
  return refusal("InvalidClass", `data[${index}].key`, `${quoted(key)} is not a valid Secret key`, hint);
}

/** Finds a key that the driver rejects in a Secret of type kubernetes.io/tls. Uses the driver's text. */
function tlsKeyViolation(object: SecretObjectEntries): SecretObjectProblem | undefined {
  const keys = keysOf(object);
  const index = trimSpace(object.type ?? "") === TLS_TYPE ? keys.findIndex((key) => !isTlsKey(key)) : -1;
  if (index < 0) return undefined;
  const message = `key ${quoted(keys[index] ?? "")} is not supported. Only 'tls.key' and 'tls.crt' are supported`;
  return refusal("InvalidObject", `data[${index}].key`, message, "write tls.crt or tls.key, or type: Opaque");
}

/** Finds the first problem that the text alone shows, in the order of the worker. */
export function textViolation(object: SecretObjectEntries): SecretObjectProblem | undefined {
  return (
    driverViolation(object) ?? expressionViolation(object) ?? tlsKeyViolation(object) ?? furtherViolation(object) ?? keyViolation(object)
  );
}

/** Runs the driver's checks that come before its checks of the data, in its order. Fields are relative to the secretObject. */
export function driverViolation(object: SecretObjectEntries): SecretObjectProblem | undefined {
  return firstOf(driverChecks, object);
}

/**
 * Runs the checks that the driver leaves to the API server or does not make. They come after all checks for which the driver has a text.
 */
export function furtherViolation(object: SecretObjectEntries): SecretObjectProblem | undefined {
  return firstOf(furtherChecks, object);
}
