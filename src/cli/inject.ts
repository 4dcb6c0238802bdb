import jsonpatch from "fast-json-patch";
import { type AdmissionDecision, invalidReview } from "../domain/admission/decision.ts";
import type { AdmissionRequest } from "../domain/admission/review.ts";
import type { ClassFact } from "../domain/injection/credentials.ts";
import { readPod } from "../domain/injection/pod.ts";
import { closeRequest, type InjectionRequest, openRequest } from "../domain/injection/pod-admission.ts";
import type { InjectionSettings } from "../domain/injection/settings.ts";
import { isJsonObject, type JsonObject } from "../domain/json-object.ts";
import { quoted } from "../domain/quoted.ts";
import type { Facts } from "./facts.ts";

export interface Injection {
  readonly decision: AdmissionDecision;
  /** What the pod asks for; undefined where it asks for nothing, or for something that cannot be. */
  readonly request: InjectionRequest | undefined;
  readonly classes: ReadonlyMap<string, ClassFact>;
  /** The pod as it would be stored; undefined where nothing would be stored. */
  readonly pod: JsonObject | undefined;
}

export interface InjectionContext {
  readonly settings: InjectionSettings;
  readonly facts: Facts;
}

/** The webhook's own decision on a pod, carried out. */
export async function injectPod(pod: JsonObject, namespace: string, { settings, facts }: InjectionContext): Promise<Injection> {
  const read = readPod(pod);
  // In the words of somebody who has a manifest, and no request, before them.
  if (!read.ok) return { decision: invalidReview(read.error), request: undefined, classes: new Map(), pod: undefined };
  const fact = await facts.namespaceOf(namespace);
  const request = creationOf(pod, namespace);
  const opened = openRequest(request, settings, fact);
  if (opened.kind === "decided")
    return { decision: opened.decision, request: undefined, classes: new Map(), pod: stored(pod, opened.decision) };
  const classes = new Map<string, ClassFact>();
  for (const { className } of opened.request.mounts) classes.set(className, await facts.classOf({ namespace, name: className }));
  const decision = closeRequest(opened.request, classes, settings);
  const refusal = decision.kind === "denied" ? decision : refusalWithToken(pod, { namespace, fact, classes, settings });
  return { decision: refusal ?? decision, request: opened.request, classes, pod: stored(pod, refusal ?? decision) };
}

/** The webhook knows of no files: what it says of a class that it did not find is said in their terms. */
export function inTermsOfFiles(text: string, namespace: string, { classes }: Injection, facts: Facts): string {
  for (const [name, { kind }] of classes) {
    const start = `SecretProviderClass ${quoted(name, 63)} `;
    const absence = kind === "found" || !text.startsWith(start) ? undefined : facts.absenceOf({ namespace, name });
    if (absence !== undefined) return `${start}${text.slice(start.length).replace(/^[^;]+/, () => absence)}`;
  }
  return text;
}

/** The one question that the plan answers: a pod that is being made. */
function creationOf(pod: JsonObject, namespace: string): AdmissionRequest {
  return {
    uid: "command-line",
    operation: "CREATE",
    resource: { group: "", version: "v1", resource: "pods" },
    subResource: undefined,
    namespace,
    name: undefined,
    object: pod,
  };
}

function stored(pod: JsonObject, decision: AdmissionDecision): JsonObject | undefined {
  if (decision.kind === "unchanged") return pod;
  if (decision.kind !== "patched") return undefined;
  return jsonpatch.applyPatch(structuredClone(pod), [...decision.patch], true).newDocument;
}

const TOKEN_VOLUME = "kube-api-access";
const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";

interface TokenCheck {
  readonly namespace: string;
  readonly fact: Parameters<typeof openRequest>[2];
  readonly classes: ReadonlyMap<string, ClassFact>;
  readonly settings: InjectionSettings;
}

/**
 * The API server mounts the account's token before it asks the webhook, so a class cannot be mounted there. A manifest does not
 * have that mount yet: the pod that has it is asked about as well, for a refusal only.
 */
function refusalWithToken(pod: JsonObject, { namespace, fact, classes, settings }: TokenCheck): AdmissionDecision | undefined {
  const opened = openRequest(creationOf(withToken(pod), namespace), settings, fact);
  const decision = opened.kind === "decided" ? opened.decision : closeRequest(opened.request, classes, settings);
  return decision.kind === "denied" ? decision : undefined;
}

function withToken(pod: JsonObject): JsonObject {
  const spec = isJsonObject(pod["spec"]) ? pod["spec"] : {};
  if (spec["automountServiceAccountToken"] === false) return pod;
  const lists = ["initContainers", "containers"].map((list) => [list, listOf(spec[list]).map(withTokenMount)]);
  const filled = lists.filter(([list]) => typeof list === "string" && spec[list] !== undefined);
  const volumes = [...listOf(spec["volumes"]), { name: TOKEN_VOLUME, projected: {} }];
  return { ...pod, spec: { ...spec, ...Object.fromEntries(filled), volumes } };
}

function withTokenMount(container: unknown): unknown {
  if (!isJsonObject(container)) return container;
  const mounts = listOf(container["volumeMounts"]);
  if (mounts.some((mount) => isJsonObject(mount) && mount["mountPath"] === TOKEN_PATH)) return container;
  return { ...container, volumeMounts: [...mounts, { name: TOKEN_VOLUME, mountPath: TOKEN_PATH, readOnly: true }] };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
