import { decodeObject } from "../codec/decode.ts";
import type { Attributes } from "../interface.ts";
import { type JsonObject, listAt, objectAt, stringAt } from "../json.ts";
import { ownersAfterUpdate } from "../managed-fields/owners.ts";
import { invalid, notFound } from "../refusal.ts";
import { shapeNamed } from "../schema/shapes.ts";
import { keyOf, stamped } from "../store/stored.ts";
import { invalidValue } from "../validation/cause.ts";
import { assertAdmitted } from "./admission.ts";
import { parseObject } from "./body.ts";
import { timestampOf, type Writing } from "./context.ts";

/** POST requests that the server answers and does not store. */

const REVIEW = { kind: "SelfSubjectAccessReview", apiVersion: "authorization.k8s.io/v1" };

export function answerReview(body: string | undefined, user: string, authorize: (attributes: Attributes) => boolean): JsonObject {
  const review = decodeObject(shapeNamed("authorization.SelfSubjectAccessReview"), { ...parseObject(body), ...REVIEW });
  const asked = objectAt(objectAt(review, "spec"), "resourceAttributes");
  const isAllowed = authorize({
    user,
    verb: (stringAt(asked, "verb") ?? "get") as Attributes["verb"], // Any other verb is allowed to no one.
    group: stringAt(asked, "group") ?? "",
    resource: stringAt(asked, "resource") ?? "",
    subresource: stringAt(asked, "subresource") ?? "",
    namespace: stringAt(asked, "namespace"),
    name: stringAt(asked, "name"),
  });
  return { ...review, status: { allowed: isAllowed } };
}

/** Minimum lifetime of a token, in seconds. */
const LEAST_SECONDS = 600;
/** Audience of the API server itself. */
export const DEFAULT_AUDIENCE = "https://kubernetes.default.svc";

export function unsignedToken(claims: JsonObject): string {
  const [head, payload] = [{ alg: "none", typ: "JWT" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return `${head}.${payload}.c2ltdWxhdGVk`;
}

/** Returns a token of a ServiceAccount, as the API server does. */
export function requestToken(writing: Writing): JsonObject {
  const { route, store, now, random, request } = writing;
  const namespace = route.namespace ?? "";
  const account = store.collection("serviceaccounts").get(keyOf(namespace, route.name ?? ""));
  if (account === undefined) throw notFound({ group: "", kind: "serviceaccounts" }, route.name ?? "");
  const typed = { kind: "TokenRequest", apiVersion: "authentication.k8s.io/v1" };
  const shape = shapeNamed("authentication.TokenRequest");
  const given = decodeObject(shape, { ...parseObject(request.body), ...typed });
  const asked = withSeconds(objectAt(given, "spec"));
  const spec = withDefaults(asked);
  const seconds = Number(spec["expirationSeconds"]);
  if (seconds < LEAST_SECONDS) {
    const cause = invalidValue("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes");
    throw invalid({ group: "authentication.k8s.io", kind: "TokenRequest" }, "", [cause]);
  }
  assertAdmitted(writing, { object: { ...given, metadata: { name: account.name, namespace }, spec }, oldObject: undefined });
  const issued = Math.floor(now() / 1_000);
  const claims = {
    aud: listAt(spec, "audiences"),
    exp: issued + seconds,
    iat: issued,
    iss: DEFAULT_AUDIENCE,
    jti: Math.floor(random() * 2 ** 48).toString(16),
    "kubernetes.io": { namespace, serviceaccount: { name: account.name, uid: account.uid } },
    nbf: issued,
    sub: `system:serviceaccount:${namespace}:${account.name}`,
  };
  const ownership = { shape, apiVersion: typed.apiVersion, subresource: "token", ignored: undefined, isKnownVersion: () => true };
  const change = { before: decodeObject(shape, typed), after: { spec: asked }, managers: [] };
  const managers = ownersAfterUpdate(ownership, change, { name: writing.fieldManager, now: writing.timestamp });
  const metadata = stamped({ name: account.name, namespace, uid: account.uid, creationTimestamp: timestampOf(now()) }, undefined, managers);
  return {
    ...given,
    metadata,
    spec,
    status: { token: writing.signToken(claims), expirationTimestamp: timestampOf((issued + seconds) * 1_000) },
  };
}

function withSeconds(spec: JsonObject): JsonObject {
  return { ...spec, expirationSeconds: spec["expirationSeconds"] ?? 3_600 };
}

/** Sets the server's own audience by default. No manager owns it. */
function withDefaults(spec: JsonObject): JsonObject {
  const audiences = listAt(spec, "audiences");
  return { boundObjectRef: null, ...spec, audiences: audiences.length === 0 ? [DEFAULT_AUDIENCE] : audiences };
}
