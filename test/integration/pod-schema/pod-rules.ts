import type { Random } from "../../support/fixtures/random.ts";
import { type Json, listOf, objectOf, withoutPropagationBack } from "./type-rules.ts";
import { PRIORITY_CLASS, RUNTIME_CLASS, SERVICE_ACCOUNT } from "./values.ts";

/** Applies the rules about several fields of a pod at once, as the API server's validation defines them. Changes the spec in place. */
export function settlePod(spec: Json, random: Random): void {
  settleAdmission(spec);
  settleHost(spec, random);
  settleOperatingSystem(spec);
  if (spec["schedulingGates"] !== undefined && spec["nodeName"] !== undefined) delete spec[random.pick(["schedulingGates", "nodeName"])];
  if (spec["dnsPolicy"] === "None") {
    spec["dnsConfig"] = { ...objectOf(spec, "dnsConfig"), nameservers: ["10.0.0.10"] };
  }
  for (const container of containersOf(spec)) settleContainer(container, { spec, random });
}

export function containersOf(spec: Json): readonly Json[] {
  return [...listOf(spec, "initContainers"), ...listOf(spec, "containers")];
}

/** Sets the fields that admission plugins compare with the object that a name refers to. */
function settleAdmission(spec: Json): void {
  if (["priority", "preemptionPolicy", "priorityClassName"].some((field) => spec[field] !== undefined)) {
    const { name, value, preemptionPolicy } = PRIORITY_CLASS;
    Object.assign(spec, { priorityClassName: name, priority: value, preemptionPolicy });
  }
  if (["overhead", "runtimeClassName"].some((field) => spec[field] !== undefined)) {
    Object.assign(spec, { runtimeClassName: RUNTIME_CLASS.name, overhead: { ...RUNTIME_CLASS.overhead } });
  }
  if (["serviceAccount", "serviceAccountName"].some((field) => spec[field] !== undefined)) {
    Object.assign(spec, { serviceAccount: SERVICE_ACCOUNT, serviceAccountName: SERVICE_ACCOUNT });
  }
}

function settleHost(spec: Json, random: Random): void {
  const namespaces = ["hostNetwork", "hostPID", "hostIPC"];
  const hasDevices = containersOf(spec).some((container) => container["volumeDevices"] !== undefined);
  if (spec["hostUsers"] === false && (hasDevices || namespaces.some((field) => spec[field] === true))) spec["hostUsers"] = true;
  if (spec["hostPID"] === true && spec["shareProcessNamespace"] === true) spec["shareProcessNamespace"] = false;
  if (spec["hostnameOverride"] !== undefined && (spec["hostNetwork"] === true || spec["setHostnameAsFQDN"] === true)) {
    spec["hostNetwork"] = false;
    spec["setHostnameAsFQDN"] = false;
  }
  const sysctls = listOf(objectOf(spec, "securityContext"), "sysctls");
  if (sysctls.length > 0 && (spec["hostNetwork"] === true || spec["hostIPC"] === true)) {
    if (random.chance(0.5)) delete objectOf(spec, "securityContext")["sysctls"];
    else Object.assign(spec, { hostNetwork: false, hostIPC: false });
  }
}

const LINUX_ONLY = ["hostNetwork", "hostPID", "hostIPC", "hostUsers", "shareProcessNamespace", "resources"];

function settleOperatingSystem(spec: Json): void {
  const contexts = [spec, ...containersOf(spec)].map((owner) => objectOf(owner, "securityContext"));
  const hasSignal = containersOf(spec).some((container) => objectOf(container, "lifecycle")["stopSignal"] !== undefined);
  // A stop signal needs the name of an operating system.
  if (hasSignal) spec["os"] = { name: "linux" };
  const { name } = objectOf(spec, "os");
  if (name === "linux") for (const context of contexts) delete context["windowsOptions"];
  if (name !== "windows") return;
  for (const field of LINUX_ONLY) delete spec[field];
  for (const context of contexts) {
    for (const field of Object.keys(context)) if (field !== "windowsOptions" && field !== "runAsNonRoot") delete context[field];
  }
}

interface Pod {
  readonly spec: Json;
  readonly random: Random;
}

function settleContainer(container: Json, pod: Pod): void {
  const context = objectOf(container, "securityContext");
  if (context["procMount"] === "Unmasked" && pod.spec["hostUsers"] !== false) context["procMount"] = "Default";
  settleDevices(container, pod);
  settleMounts(container, pod);
  for (const port of listOf(container, "ports")) {
    if (pod.spec["hostNetwork"] === true && port["hostPort"] !== undefined) port["hostPort"] = port["containerPort"];
  }
  const claims = listOf(objectOf(container, "resources"), "claims");
  if (claims.length > 0) claims.length = 1;
  for (const claim of claims) claim["name"] = claimFor(pod);
  for (const variable of listOf(container, "env")) {
    const reference = objectOf(objectOf(variable, "valueFrom"), "fileKeyRef");
    if (reference["volumeName"] !== undefined) reference["volumeName"] = volumeFor(pod, isEmptyDirectory, emptyDirectory);
  }
}

/** A container uses a volume as a device at most once. */
function settleDevices(container: Json, pod: Pod): void {
  const taken = new Set<unknown>();
  for (const device of listOf(container, "volumeDevices")) {
    const isFree = (volume: Json): boolean => isBlock(volume) && !taken.has(volume["name"]);
    device["name"] = volumeFor(pod, isFree, () => ({ persistentVolumeClaim: { claimName: pod.random.unique("claim") } }));
    taken.add(device["name"]);
  }
}

/** A volume is a device or a directory, not both. */
function settleMounts(container: Json, pod: Pod): void {
  const isPrivileged = objectOf(container, "securityContext")["privileged"] === true;
  for (const mount of listOf(container, "volumeMounts")) {
    if (!isPrivileged) withoutPropagationBack(mount);
    mount["name"] = volumeFor(pod, (volume) => !isBlock(volume), emptyDirectory);
  }
}

function claimFor({ spec, random }: Pod): string {
  spec["resourceClaims"] ??= [{ name: random.unique("claim"), resourceClaimName: random.unique("claim") }];
  return String(random.pick(listOf(spec, "resourceClaims"))["name"]);
}

/** Returns a suitable volume of the pod, or adds a new one. */
function volumeFor({ spec, random }: Pod, willDo: (volume: Json) => boolean, create: () => Json): string {
  const fitting = listOf(spec, "volumes").filter(willDo);
  if (fitting.length > 0) return String(random.pick(fitting)["name"]);
  const name = random.unique("volume");
  spec["volumes"] = [...listOf(spec, "volumes"), { name, ...create() }];
  return name;
}

function isBlock(volume: Json): boolean {
  const template = objectOf(objectOf(volume, "ephemeral"), "volumeClaimTemplate");
  return volume["persistentVolumeClaim"] !== undefined || objectOf(template, "spec")["volumeMode"] === "Block";
}

function isEmptyDirectory({ emptyDir }: Json): boolean {
  return emptyDir !== undefined;
}

const emptyDirectory = (): Json => ({ emptyDir: {} });
