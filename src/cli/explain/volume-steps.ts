import { POD_ANNOTATIONS } from "../../domain/annotations.ts";
import { type Pod, type PodContainer, readPod } from "../../domain/injection/pod.ts";
import { CSI_DRIVER } from "../../domain/injection/settings.ts";
import { itemsIn, listAt, memberOf } from "../../domain/json-members.ts";
import { isJsonObject, type JsonObject, parsedJson } from "../../domain/json-object.ts";
import { apiVersionOf, type KubeObject } from "../../domain/kubernetes.ts";
import { podAt, podPath } from "../manifest/items.ts";
import type { Injection } from "../shared/injection.ts";
import { targetResource } from "../shared/resources.ts";
import type { Viewer } from "../shared/viewer.ts";
import { type ExplanationStep, say } from "./explanation.ts";

interface ExplainedVolumes {
  readonly before: Pod | undefined;
  readonly injection: Injection;
  /** The pod without injection, if the API server does not call the webhook. */
  readonly untouched: JsonObject | undefined;
  /** Pod template from which a controller created the pod; undefined if there is none, or it is not known. */
  readonly template: Pod | undefined;
}

/** Explains the class volumes, their mounts, and the environment from Secrets, and which of these injection adds. */
export function volumeSteps({ before, injection, untouched, template }: ExplainedVolumes): readonly ExplanationStep[] {
  const { classes, request } = injection;
  const stored = untouched ?? injection.pod;
  const after = stored === undefined ? undefined : readPod(stored);
  if (after?.ok !== true) return [];
  const mounted = after.value.volumes.filter(({ csi }) => csi?.driver === CSI_DRIVER);
  const used = volumesInStatus(before);
  const volumes = mounted.map(({ name, csi }) => {
    const reference =
      csi?.credentialsSecret === undefined ? "no credentials reference" : `credentials from Secret ${csi.credentialsSecret}`;
    const has = (pod: Pod) => pod.volumes.some((volume) => volume.name === name);
    const origin = originOf(has, { before, template, isUsed: used.includes(name) });
    return say.volume.ok(`volume ${name} (${origin}) mounts class ${csi?.secretProviderClass ?? "?"}, ${reference}`);
  });
  const names = new Set(mounted.map(({ name }) => name));
  const selected = request?.selection.containers.map(({ name }) => name);
  const why = untouched === undefined ? undefined : "the API server does not call the webhook";
  const mounts = after.value.containers.flatMap((container) => mountSteps(container, names, why ?? leftOutBecause(container, selected)));
  const asked = used.length > 0 ? (request?.envFrom?.secrets ?? []) : [];
  const env = after.value.containers.flatMap((container) => envSteps(container, { before, template, asked }));
  return [...volumes, ...(classes.size === 0 && mounted.length === 0 ? [] : mounts), ...env];
}

interface Origin {
  readonly before: Pod | undefined;
  readonly template: Pod | undefined;
  /** Whether the pod was injected, and injection used or added the part. */
  readonly isUsed: boolean;
}

const OWN = "the pod's own";

/** The status annotation also lists volumes that the pod had before, so only the template shows who added a volume. */
function originOf(has: (pod: Pod) => boolean, { before, template, isUsed }: Origin): string {
  if (before === undefined || !has(before)) return "added";
  if (!isUsed) return OWN;
  if (template === undefined) return "used by injection";
  return has(template) ? OWN : "added by injection";
}

/** Returns the volumes that injection used or added when the pod was created, from its annotation. */
function volumesInStatus(pod: Pod | undefined): readonly unknown[] {
  const status = parsedJson(pod?.annotations[POD_ANNOTATIONS.status] ?? "");
  return isJsonObject(status) ? itemsIn(status["volumes"]) : [];
}

function leftOutBecause({ name }: PodContainer, selected: readonly string[] | undefined): string {
  if (selected === undefined || selected.includes(name)) return "the pod mounts no class volume into it";
  return `annotation ${POD_ANNOTATIONS.containers} excludes it`;
}

function mountSteps({ name, mounts }: PodContainer, volumes: ReadonlySet<string>, why: string): readonly ExplanationStep[] {
  const own = mounts.filter(({ volume }) => volumes.has(volume));
  if (own.length === 0) return [say.mount.warning(`container ${name} sees no file of a class: ${why}`)];
  return own.map(({ volume, mountPath }) => say.mount.ok(`container ${name} has volume ${volume} at ${mountPath}`));
}

interface Environment extends Omit<Origin, "isUsed"> {
  /** Secrets that the annotation of an injected pod names. */
  readonly asked: readonly string[];
}

/** Omits Secrets that the container took its environment from before injection. */
function envSteps({ name, envFrom }: PodContainer, { before, template, asked }: Environment): readonly ExplanationStep[] {
  return envFrom.flatMap(({ secret }) => {
    if (secret === undefined) return [];
    const has = (pod: Pod) => pod.containers.some((each) => each.name === name && each.envFrom.some((own) => own.secret === secret));
    const origin = originOf(has, { before, template, isUsed: asked.includes(secret) });
    return origin === OWN ? [] : [say["env-from"].ok(`container ${name} takes its environment from Secret ${secret} (${origin})`)];
  });
}

/** Counts what injection adds to a pod. */
export function additionsText(before: JsonObject, after: JsonObject | undefined): string {
  const [had, has] = [readPod(before), readPod(after)];
  if (!had.ok || !has.ok) return "nothing";
  const added = (count: (pod: Pod) => number, one: string, many = `${one}s`): readonly string[] => {
    const more = count(has.value) - count(had.value);
    return more === 0 ? [] : [more === 1 ? `1 ${one}` : `${more} ${many}`];
  };
  const inAll = (list: "mounts" | "envFrom") => (pod: Pod) => pod.containers.reduce((sum, container) => sum + container[list].length, 0);
  const parts = [
    ...added(({ volumes }) => volumes.length, "volume"),
    ...added(inAll("mounts"), "mount"),
    ...added(inAll("envFrom"), "envFrom entry", "envFrom entries"),
  ];
  return parts.length === 0 ? "only its label and annotation" : parts.join(" and ");
}

/** Returns the pod template of the controller that created the pod; undefined if there is none, or the user may not read it. */
export async function templateOf(pod: JsonObject, namespace: string, viewer: Viewer | undefined): Promise<Pod | undefined> {
  const owner = controllerOf(pod);
  const resource = targetResource(String(owner?.["kind"]));
  if (viewer === undefined || owner === undefined || resource === undefined || owner["apiVersion"] !== apiVersionOf(resource))
    return undefined;
  const reading = await viewer.object<KubeObject>(resource, { namespace, name: String(owner["name"]) });
  if (reading.kind !== "seen") return undefined;
  const workload = { ...reading.value, apiVersion: apiVersionOf(resource), kind: resource.kind };
  const path = podPath(workload);
  const template = path === undefined ? undefined : readPod(podAt(workload, path));
  return template?.ok === true ? template.value : undefined;
}

export function controllerOf(pod: JsonObject): JsonObject | undefined {
  return listAt(memberOf(pod, "metadata"), "ownerReferences").find((each) => each["controller"] === true);
}
