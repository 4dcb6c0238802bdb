import jsonpatch from "fast-json-patch";
import { type AdmissionDecision, invalidReview } from "../../domain/admission/decision.ts";
import type { AdmissionRequest } from "../../domain/admission/review.ts";
import type { ClassFact } from "../../domain/injection/credentials.ts";
import type { NamespaceFact } from "../../domain/injection/effective-annotations.ts";
import { readPod } from "../../domain/injection/pod.ts";
import { closeRequest, type InjectionRequest, openRequest } from "../../domain/injection/pod-admission.ts";
import type { InjectionSettings } from "../../domain/injection/settings.ts";
import { itemsIn, memberOf } from "../../domain/json-members.ts";
import { isJsonObject, type JsonObject } from "../../domain/json-object.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import { quoted } from "../../domain/quoted.ts";
import { nearestSpelling } from "../../domain/spelling.ts";
import { isClass, readClassItem } from "../manifest/class-item.ts";
import type { ManifestItem } from "../manifest/items.ts";
import { CommandFailure } from "./command.ts";
import { type InjectionMode, injectionModeOf } from "./injection-mode.ts";
import { INJECTION_MODES, type OptionValues, valueOf } from "./options.ts";
import { listed, type Viewer, type ViewResult } from "./viewer.ts";

/** Facts about the cluster and the files that decisions about pods depend on. */
export interface Facts {
  classOf(ref: ObjectRef): Promise<ClassFact>;
  namespaceOf(name: string): Promise<NamespaceFact>;
  /** Explains where a class was not found, and names a similar one. Undefined if the cluster serves classes, but has no similar one. */
  absenceOf(ref: Required<ObjectRef>): string | undefined;
  /** Returns the reasons why classes or Namespaces could not be read, each once. */
  unseen(of?: Seen): readonly string[];
}

type Seen = "classes" | "namespaces";

/** Reads the files first, because the user is about to apply them, and then the cluster. Without a cluster, only the files are known. */
export function createFacts(items: readonly ManifestItem[], viewer: Viewer | undefined, defaultNamespace: string): Facts {
  const classes = new Map(
    items
      .filter(isClass)
      .map((item) => [`${item.namespace ?? defaultNamespace}/${item.name}`, readClassItem(item, defaultNamespace).class]),
  );
  const namespaces = new Map(items.filter(({ kind }) => kind === "Namespace").map((item) => [item.name, annotationsOf(item)]));
  const unseen = new Map<string, Seen>();
  const absentNamespaces = new Set<string>();
  let areClassesServed = true;
  const known = (reading: ViewResult<unknown> | undefined, kind: Seen): "missing" | "unknown" => {
    if (reading?.kind === "unseen") unseen.set(reading.why, kind);
    return reading?.kind === "absent" ? "missing" : "unknown";
  };
  const inCluster = new Map<string, readonly string[]>();
  /** Stores the names of the classes that the user may mean instead of one that does not exist. */
  const noteNames = async (namespace: string): Promise<void> => {
    if (viewer === undefined || inCluster.has(namespace)) return;
    const reading = await viewer.all<KubeObject>(RESOURCES.secretProviderClasses, { namespace });
    inCluster.set(
      namespace,
      listed(reading).map(({ metadata }) => metadata.name),
    );
  };
  const classOf = remembering(async (ref: ObjectRef): Promise<ClassFact> => {
    const given = classes.get(objectKey(ref));
    if (given !== undefined) return { kind: "found", class: given };
    const reading = await viewer?.object<SecretProviderClass>(RESOURCES.secretProviderClasses, ref);
    if (reading?.kind === "seen") return { kind: "found", class: reading.value };
    if (reading?.kind === "unserved") areClassesServed = false;
    if (reading?.kind === "absent" && ref.namespace !== undefined) await noteNames(ref.namespace);
    return { kind: known(reading, "classes") };
  });
  const namespaceOf = remembering(async (ref: ObjectRef): Promise<NamespaceFact> => {
    const given = namespaces.get(ref.name);
    if (given !== undefined) return { kind: "found", annotations: given };
    // A Namespace that the files do not contain has no known defaults, so it counts as one without defaults.
    if (viewer === undefined) return { kind: "missing" };
    const reading = await viewer.object<KubeObject>(RESOURCES.namespaces, ref);
    if (reading.kind === "seen") return { kind: "found", annotations: reading.value.metadata.annotations ?? {} };
    // The webhook may read the Namespace even if the user may not, so this is reported, but not as a refusal.
    known(reading, "namespaces");
    if (reading.kind === "absent") absentNamespaces.add(ref.name);
    return { kind: "missing" };
  });
  const absenceOf = ({ namespace, name }: Required<ObjectRef>): string | undefined => {
    const start = `${namespace}/`;
    const near = nearestSpelling(name, [
      ...[...classes.keys()].filter((key) => key.startsWith(start)).map((key) => key.slice(start.length)),
      ...(inCluster.get(namespace) ?? []),
    ]);
    const meant = near === undefined ? "" : `; did you mean ${quoted(near, 63)}?`;
    if (viewer === undefined) return `is not in these files${meant}`;
    if (!areClassesServed && near === undefined) return "cannot exist: the API server serves no secretproviderclasses; apply the CRDs";
    if (near === undefined)
      return absentNamespaces.has(namespace) ? `does not exist, because namespace ${namespace} does not exist` : undefined;
    return items.length === 0
      ? `does not exist in namespace ${namespace}${meant}`
      : `is neither in these files nor in the namespace${meant}`;
  };
  return {
    classOf,
    namespaceOf: (name) => namespaceOf({ name }),
    absenceOf,
    unseen: (of) => [...unseen].filter(([, kind]) => of === undefined || kind === of).map(([why]) => why),
  };
}

/** Reads each class once, although many pods may name it. */
function remembering<T>(find: (ref: ObjectRef) => Promise<T>): (ref: ObjectRef) => Promise<T> {
  const found = new Map<string, Promise<T>>();
  return (ref) => {
    const running = found.get(objectKey(ref)) ?? find(ref);
    found.set(objectKey(ref), running);
    return running;
  };
}

function annotationsOf({ object }: ManifestItem): Readonly<Record<string, string>> {
  const { annotations } = (object["metadata"] ?? {}) as { annotations?: unknown }; // The code below checks each entry.
  const entries = Object.entries(typeof annotations === "object" && annotations !== null ? annotations : {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

export interface Injection {
  readonly decision: AdmissionDecision;
  /** Request of the pod; undefined if it requests nothing, or something impossible. */
  readonly request: InjectionRequest | undefined;
  readonly classes: ReadonlyMap<string, ClassFact>;
  /** The pod as the API server would store it; undefined if it would store nothing. */
  readonly pod: JsonObject | undefined;
}

export interface InjectionContext {
  readonly settings: InjectionSettings;
  readonly mode: InjectionMode["kind"];
  readonly facts: Facts;
  /** Namespace of objects that name none. */
  readonly namespace: string;
}

/** Returns what decisions about pods depend on, besides the objects of the files. Reads the cluster with the user's own permissions. */
export async function injectionContext(
  items: readonly ManifestItem[],
  namespace: string,
  viewer: Viewer | undefined,
  { version, options }: { readonly version: string; readonly options: OptionValues },
): Promise<InjectionContext> {
  const settings = { version, strictAnnotations: options["strict-annotations"] !== undefined, isCallerTrusted: true };
  return { settings, mode: await modeOf(options, viewer), facts: createFacts(items, viewer, namespace), namespace };
}

/** Returns the given or installed mode, or `webhook` if the cluster does not answer, which other code reports. */
async function modeOf(options: OptionValues, viewer: Viewer | undefined): Promise<InjectionMode["kind"]> {
  const asked = INJECTION_MODES.find((mode) => mode === valueOf(options, "injection-mode"));
  if (asked !== undefined || viewer === undefined) return asked ?? "webhook";
  try {
    return (await injectionModeOf(viewer)).kind;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return "webhook";
  }
}

const UNREAD: ClassFact = { kind: "unknown" };

/** Makes and applies the webhook's own decision on a pod. A policy runs before it and decides in the same way, but reads no class. */
export async function injectPod(pod: JsonObject, namespace: string, { settings, facts, mode }: InjectionContext): Promise<Injection> {
  const read = readPod(pod);
  // The message is about a manifest, because the user does not see a request.
  if (!read.ok) return { decision: invalidReview(read.error), request: undefined, classes: new Map(), pod: undefined };
  const fact = await facts.namespaceOf(namespace);
  const request = creationOf(pod, namespace);
  const opened = openRequest(request, settings, fact);
  if (opened.kind === "decided")
    return { decision: opened.decision, request: undefined, classes: new Map(), pod: stored(pod, opened.decision) };
  const classes = new Map<string, ClassFact>();
  for (const { className } of opened.request.mounts) classes.set(className, await facts.classOf({ namespace, name: className }));
  const known = mode === "webhook" ? classes : new Map([...classes.keys()].map((name) => [name, UNREAD]));
  const decision = closeRequest(opened.request, known, settings);
  const refusal = decision.kind === "denied" ? decision : refusalWithToken(creationOf(withToken(pod), namespace), fact, known, settings);
  return { decision: refusal ?? decision, request: opened.request, classes, pod: stored(pod, refusal ?? decision) };
}

/** Rewords the webhook's message about a class that was not found, because the webhook knows nothing of files. */
export function inTermsOfFiles(text: string, namespace: string, { classes }: Injection, facts: Facts): string {
  for (const [name, { kind }] of classes) {
    const start = `SecretProviderClass ${quoted(name, 63)} `;
    const absence = kind === "found" || !text.startsWith(start) ? undefined : facts.absenceOf({ namespace, name });
    if (absence !== undefined)
      return `${start}${text.slice(start.length).replace(/^[^:(]*[^:( ]/, () => absence)}`.replace("?: pods", "? Pods");
  }
  return text;
}

/** Returns the only request that the decision needs: the creation of the pod. */
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

/**
 * Decides also on the pod with the token volume, and returns only a denial. The API server mounts the account's token before it calls the
 * webhook, so a class cannot be mounted at that path. A manifest does not have that mount yet.
 */
function refusalWithToken(
  request: AdmissionRequest,
  fact: NamespaceFact,
  classes: ReadonlyMap<string, ClassFact>,
  settings: InjectionSettings,
): AdmissionDecision | undefined {
  const opened = openRequest(request, settings, fact);
  const decision = opened.kind === "decided" ? opened.decision : closeRequest(opened.request, classes, settings);
  return decision.kind === "denied" ? decision : undefined;
}

function withToken(pod: JsonObject): JsonObject {
  const spec = memberOf(pod, "spec");
  if (spec["automountServiceAccountToken"] === false) return pod;
  const lists = ["initContainers", "containers"].map((list) => [list, itemsIn(spec[list]).map(withTokenMount)]);
  const filled = lists.filter(([list]) => typeof list === "string" && spec[list] !== undefined);
  const volumes = [...itemsIn(spec["volumes"]), { name: TOKEN_VOLUME, projected: {} }];
  return { ...pod, spec: { ...spec, ...Object.fromEntries(filled), volumes } };
}

function withTokenMount(container: unknown): unknown {
  if (!isJsonObject(container)) return container;
  const mounts = itemsIn(container["volumeMounts"]);
  if (mounts.some((mount) => isJsonObject(mount) && mount["mountPath"] === TOKEN_PATH)) return container;
  return { ...container, volumeMounts: [...mounts, { name: TOKEN_VOLUME, mountPath: TOKEN_PATH, readOnly: true }] };
}
