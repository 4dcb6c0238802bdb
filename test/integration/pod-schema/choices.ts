import type { Random } from "../../support/fixtures/random.ts";
import type { SchemaField } from "./schema.ts";

/** Fields of which an object has at most one, or exactly one. */
interface Choice {
  readonly among: readonly string[] | "all but name";
  readonly isNeeded: boolean;
}

const exactlyOne = (...among: readonly string[]): Choice => ({ among, isNeeded: true });
const atMostOne = (...among: readonly string[]): Choice => ({ among, isNeeded: false });

const CHOICES: Readonly<Record<string, readonly Choice[]>> = {
  Volume: [{ among: "all but name", isNeeded: true }],
  VolumeProjection: [{ among: "all but name", isNeeded: true }],
  EnvVarSource: [{ among: "all but name", isNeeded: true }],
  EnvVar: [atMostOne("value", "valueFrom")],
  EnvFromSource: [exactlyOne("configMapRef", "secretRef")],
  LifecycleHandler: [exactlyOne("exec", "httpGet", "sleep", "tcpSocket")],
  Probe: [exactlyOne("exec", "grpc", "httpGet", "tcpSocket")],
  VolumeMount: [atMostOne("subPath", "subPathExpr")],
  DownwardAPIVolumeFile: [exactlyOne("fieldRef", "resourceFieldRef")],
  FCVolumeSource: [exactlyOne("targetWWNs", "wwids")],
  FlockerVolumeSource: [exactlyOne("datasetName", "datasetUUID")],
  PodResourceClaim: [exactlyOne("resourceClaimName", "resourceClaimTemplateName")],
  ClusterTrustBundleProjection: [exactlyOne("name", "signerName")],
  PersistentVolumeClaimSpec: [atMostOne("dataSource", "dataSourceRef")],
};

/** Fields that validation requires although the schema does not. */
const DEMANDED: Readonly<Record<string, readonly string[]>> = {
  AzureDiskVolumeSource: ["kind"],
  ConfigMapEnvSource: ["name"],
  ConfigMapKeySelector: ["name"],
  ConfigMapProjection: ["name"],
  ConfigMapVolumeSource: ["name"],
  Container: ["image"],
  ContainerRestartRule: ["exitCodes"],
  ContainerRestartRuleOnExitCodes: ["values"],
  EphemeralVolumeSource: ["volumeClaimTemplate"],
  ExecAction: ["command"],
  ImageVolumeSource: ["reference"],
  LocalObjectReference: ["name"],
  PersistentVolumeClaimSpec: ["accessModes", "resources"],
  PodCertificateProjection: ["credentialBundlePath"],
  PodDNSConfigOption: ["name"],
  PodSchedulingGroup: ["podGroupName"],
  SecretEnvSource: ["name"],
  SecretKeySelector: ["name"],
  SecretProjection: ["name"],
  ScaleIOVolumeSource: ["volumeName"],
  SecretVolumeSource: ["secretName"],
  StorageOSVolumeSource: ["volumeName"],
  TypedLocalObjectReference: ["apiGroup"],
  TypedObjectReference: ["apiGroup"],
  VolumeResourceRequirements: ["requests"],
  VsphereVirtualDiskVolumeSource: ["volumePath"],
};

export function isDemanded(type: string, { name, isRequired }: SchemaField): boolean {
  return isRequired || (DEMANDED[type]?.includes(name) ?? false);
}

export interface Options {
  readonly fields: readonly SchemaField[];
  readonly chosen: readonly SchemaField[];
  readonly isWanted: (field: SchemaField) => boolean;
  readonly random: Random;
}

/** Keeps one of several alternatives: a wanted one if possible, otherwise any. */
export function settleChoices(type: string, { fields, chosen, isWanted, random }: Options): readonly SchemaField[] {
  let settled = chosen;
  for (const { among, isNeeded } of CHOICES[type] ?? []) {
    const isAlternative = ({ name }: SchemaField): boolean => (among === "all but name" ? name !== "name" : among.includes(name));
    const taken = settled.filter(isAlternative);
    const candidates = taken.length > 0 ? taken : isNeeded ? fields.filter(isAlternative) : [];
    if (candidates.length === 0) continue;
    const wanted = candidates.filter(isWanted);
    const kept = random.pick(wanted.length > 0 ? wanted : candidates);
    settled = [...settled.filter((field) => !isAlternative(field)), kept];
  }
  return settled;
}
