import assert from "node:assert/strict";
import jsonpatch from "fast-json-patch";
import type { AdmissionDecision } from "../../../src/domain/admission/decision.ts";
import { decodeReview } from "../../../src/domain/admission/review.ts";
import type { ClassFact } from "../../../src/domain/injection/credentials.ts";
import type { NamespaceFact } from "../../../src/domain/injection/effective-annotations.ts";
import { closeRequest, openRequest } from "../../../src/domain/injection/pod-admission.ts";
import type { SecretObject, SecretProviderClass } from "../../../src/domain/kubernetes.ts";
import { aClass, aReview, prefixed } from "../fixtures/pods.ts";

export interface World {
  /** Further classes by name, in addition to the one of the documentation. */
  readonly facts?: Readonly<Record<string, ClassFact>>;
  readonly namespace?: NamespaceFact;
  /** Name of the Namespace. */
  readonly name?: string;
  readonly strictAnnotations?: boolean;
  /** Default true, as on the command line. */
  readonly isCallerTrusted?: boolean;
  /** Version of the build in the status annotation. */
  readonly version?: string;
}

/** The webhook's decision on a pod, computed without I/O. */
export function decidePod(
  pod: unknown,
  { facts = {}, namespace, name = "default", strictAnnotations = false, isCallerTrusted = true, version = "1.2.3" }: World = {},
): AdmissionDecision {
  const settings = { version, strictAnnotations, isCallerTrusted };
  const review = decodeReview(aReview(pod, { namespace: name }));
  assert.ok(review.ok);
  const opened = openRequest(review.value, settings, namespace);
  if (opened.kind === "decided") return opened.decision;
  const known = new Map<string, ClassFact>([["akvprovider-demo", { kind: "found", class: aClass() }], ...Object.entries(facts)]);
  const asked = opened.request.mounts.map(({ className }) => className);
  return closeRequest(opened.request, new Map([...known].filter(([name]) => asked.includes(name))), settings);
}

export interface InjectedContainer {
  readonly name: string;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly: boolean }[];
  readonly envFrom?: readonly unknown[];
}

export interface InjectedPod {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
  readonly spec: {
    readonly volumes: readonly { readonly name: string; readonly csi: Record<string, unknown> }[];
    readonly containers: readonly InjectedContainer[];
    readonly initContainers?: readonly InjectedContainer[];
  };
}

/** The pod after the webhook's patch. */
export function injectedPod(pod: unknown, world: World = {}): InjectedPod {
  const decision = decidePod(pod, world);
  assert.ok(decision.kind === "patched", JSON.stringify(decision));
  // The tests check its form.
  return jsonpatch.applyPatch(structuredClone(pod), structuredClone(decision.patch), true, false).newDocument as InjectedPod;
}

/** `Reason: message` of a denial. */
export function denialOf(pod: unknown, world: World = {}): string {
  const decision = decidePod(pod, world);
  assert.ok(decision.kind === "denied", JSON.stringify(decision));
  return `${decision.reason}: ${decision.message}`;
}

export function warningsOf(pod: unknown, world: World = {}): readonly string[] {
  const decision = decidePod(pod, world);
  assert.ok(decision.kind !== "errored", JSON.stringify(decision));
  return decision.warnings;
}

/** Defaults of the Namespace, given without their prefix. */
export function defaults(annotations: Readonly<Record<string, string>>): NamespaceFact {
  return { kind: "found", annotations: prefixed(annotations) };
}

/** A class that writes these keys into these Secrets. */
export function writing(secrets: Readonly<Record<string, readonly string[]>>, name = "akvprovider-demo"): ClassFact {
  const secretObjects = Object.entries(secrets).map(
    ([secretName, keys]): SecretObject => ({ secretName, type: "Opaque", data: keys.map((key) => ({ objectName: key, key })) }),
  );
  const provider: SecretProviderClass = aClass({}, name);
  return { kind: "found", class: { ...provider, spec: { ...provider.spec, secretObjects } } };
}
