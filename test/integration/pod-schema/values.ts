import type { Random } from "../../support/fixtures/random.ts";
import type { SchemaField } from "./schema.ts";

export type Provider = (random: Random) => unknown;

/** Objects that admission looks up. The test creates them. */
const EXISTING = "generated";
export const PRIORITY_CLASS = { name: EXISTING, value: 1000, preemptionPolicy: "Never" } as const;
export const RUNTIME_CLASS = { name: EXISTING, overhead: { cpu: "10m", memory: "16Mi" } } as const;
export const SERVICE_ACCOUNT = EXISTING;
export const POD_GROUP = EXISTING;

const label: Provider = (random) => random.unique("n");
const relativePath: Provider = (random) => `${random.unique("d")}/${random.unique("f")}`;
const absolutePath: Provider = (random) => `/${random.unique("p")}`;
const qualifiedKey: Provider = (random) => `example.com/${random.unique("k")}`;
const percent: Provider = (random) => random.integer(1, 100);
const small: Provider = (random) => random.integer(1, 9);
const port: Provider = (random) => random.integer(1, 65_535);
const fileMode: Provider = (random) => random.integer(0, 0o777);
const userId: Provider = (random) => random.integer(1, 2 ** 31 - 1);
const host: Provider = (random) => `${random.unique("h")}.example.com`;
const ipAddress: Provider = (random) => random.pick([`10.0.0.${random.integer(1, 254)}`, `2001:db8::${random.integer(1, 9999)}`]);
const text: Provider = (random) => random.pick(["plain", "späte Grüße", 'a "quoted" \\ one', "$(NAME) {{x}}", " "]);
const quantity: Provider = (random) => `${random.integer(1, 9)}${random.pick(["", "m"])}`;
const storage: Provider = (random) => ({ storage: `${random.integer(1, 9)}Gi` });
const labels: Provider = (random) => ({ [String(qualifiedKey(random))]: random.unique("v") });
const one =
  (...values: readonly unknown[]): Provider =>
  (random) =>
    random.pick(values);

/** Values by `Type.field` or `*.field`, for fields whose validation is stricter than their schema. */
const VALUES: Readonly<Record<string, Provider>> = {
  "*.name": label,
  "*.image": (random) => `registry.example.com/${random.unique("image")}:1`,
  "*.weight": percent,
  "*.mountPath": absolutePath,
  "*.devicePath": absolutePath,
  "*.workingDir": absolutePath,
  "*.terminationMessagePath": absolutePath,
  "*.subPath": relativePath,
  "*.subPathExpr": (random) => `$(${random.unique("NAME").replace("-", "_")})/x`,
  "*.localhostProfile": relativePath,
  "*.defaultMode": fileMode,
  "*.mode": fileMode,
  "*.runAsUser": userId,
  "*.runAsGroup": userId,
  "*.fsGroup": userId,
  "*.supplementalGroups": userId,
  "*.topologyKey": qualifiedKey,
  "*.matchLabelKeys": qualifiedKey,
  "*.mismatchLabelKeys": qualifiedKey,
  "*.matchLabels": labels,
  "*.namespaces": label,
  "*.nodeSelector": labels,
  "*.partition": (random) => random.integer(0, 255),
  "*.lun": (random) => random.integer(0, 255),
  "*.monitors": (random) => `${String(host(random))}:6789`,
  "*.optional": one(true, false),
  "*.expirationSeconds": (random) => random.integer(600, 86_400),
  "*.recursiveReadOnly": one("Enabled", "IfPossible", "Disabled"),
  "AppArmorProfile.type": one("RuntimeDefault", "Localhost", "Unconfined"),
  "AzureDiskVolumeSource.diskURI": (random) => `https://disks.example.com/${random.unique("disk")}.vhd`,
  "Capabilities.add": one("NET_ADMIN", "CHOWN", "SYS_TIME"),
  "Capabilities.drop": one("ALL", "KILL"),
  "ClusterTrustBundleProjection.path": relativePath,
  "ClusterTrustBundleProjection.name": (random) => `example.com:signer:${random.unique("bundle")}`,
  "ClusterTrustBundleProjection.signerName": (random) => `example.com/${random.unique("signer")}`,
  "ContainerPort.containerPort": port,
  "ContainerPort.hostPort": port,
  "ContainerPort.hostIP": ipAddress,
  "ContainerPort.name": (random) => random.unique("port"),
  "ContainerResizePolicy.resourceName": one("cpu", "memory"),
  "ContainerResizePolicy.restartPolicy": one("NotRequired"),
  "Container.restartPolicy": one("Always"),
  "ContainerRestartRule.action": one("Restart"),
  "ContainerRestartRuleOnExitCodes.operator": one("In", "NotIn"),
  "ContainerRestartRuleOnExitCodes.values": (random) => random.integer(1, 255),
  "CSIVolumeSource.driver": (random) => `${random.unique("driver")}.csi.example.com`,
  "CSIVolumeSource.volumeAttributes": (random) => ({ [random.unique("attribute")]: String(text(random)) }),
  "DownwardAPIVolumeFile.path": relativePath,
  "EmptyDirVolumeSource.medium": one("", "Memory"),
  "EnvVar.name": (random) => random.unique("NAME").replace("-", "_"),
  "EnvVar.value": text,
  "EnvFromSource.prefix": (random) => `${random.unique("PREFIX").replace("-", "_")}_`,
  "FCVolumeSource.targetWWNs": (random) => `500a0982991b8d${random.integer(10, 99)}`,
  "FileKeySelector.key": (random) => random.unique("KEY").replace("-", "_"),
  "FileKeySelector.path": relativePath,
  "FlexVolumeSource.driver": (random) => `example.com/${random.unique("flex")}`,
  "FlexVolumeSource.options": (random) => ({ [random.unique("option")]: "x" }),
  "GitRepoVolumeSource.directory": relativePath,
  "GRPCAction.port": port,
  "HostAlias.hostnames": host,
  "HostAlias.ip": ipAddress,
  "HTTPGetAction.path": absolutePath,
  "HTTPHeader.name": (random) => `X-${random.unique("Header")}`,
  "HTTPHeader.value": text,
  "ISCSIVolumeSource.initiatorName": (random) => `iqn.2026-11.com.example:${random.unique("initiator")}`,
  "ISCSIVolumeSource.iqn": (random) => `iqn.2026-11.com.example:${random.unique("storage")}`,
  "KeyToPath.path": relativePath,
  "LabelSelectorRequirement.key": qualifiedKey,
  "LabelSelectorRequirement.operator": one("In", "NotIn", "Exists", "DoesNotExist"),
  "LabelSelectorRequirement.values": label,
  "NFSVolumeSource.path": absolutePath,
  "NodeSelectorRequirement.key": qualifiedKey,
  "NodeSelectorRequirement.values": (random) => String(random.integer(1, 99)),
  "ObjectFieldSelector.apiVersion": one("v1"),
  "ObjectFieldSelector.fieldPath": one("metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels['app']"),
  "ObjectMeta.annotations": (random) => ({ [String(qualifiedKey(random))]: String(text(random)) }),
  "ObjectMeta.labels": labels,
  "PersistentVolumeClaimSpec.accessModes": one("ReadWriteOnce"),
  "PodCertificateProjection.keyType": one("ED25519", "ECDSAP256"),
  "PodCertificateProjection.maxExpirationSeconds": (random) => random.integer(3_600, 86_400),
  "PodCertificateProjection.signerName": (random) => `example.com/${random.unique("signer")}`,
  "PodCertificateProjection.userAnnotations": labels,
  "PodDNSConfig.nameservers": ipAddress,
  "PodDNSConfig.searches": host,
  "PodReadinessGate.conditionType": qualifiedKey,
  "PodSchedulingGate.name": qualifiedKey,
  "PodSecurityContext.seLinuxChangePolicy": one("Recursive"),
  "PodSchedulingGroup.podGroupName": one(POD_GROUP),
  "PodSpec.overhead": () => ({ ...RUNTIME_CLASS.overhead }),
  "PodSpec.terminationGracePeriodSeconds": (random) => random.integer(10, 300),
  "PodOS.name": one("linux", "windows"),
  "QuobyteVolumeSource.registry": (random) => `${String(host(random))}:7861`,
  "ResourceFieldSelector.resource": one("limits.cpu", "requests.cpu"),
  "ResourceFieldSelector.divisor": one("1", "1m"),
  "ResourceRequirements.limits": (random) => ({ cpu: `${random.integer(2, 4)}`, memory: `${random.integer(2, 4)}Gi` }),
  "ResourceRequirements.requests": (random) => ({ cpu: `${random.integer(1, 1_000)}m`, memory: `${random.integer(1, 1_024)}Mi` }),
  "SELinuxOptions.level": one("s0:c123,c456"),
  "ServiceAccountTokenProjection.path": relativePath,
  "SleepAction.seconds": small,
  "Sysctl.name": (random) => `net.core.${random.unique("x").replace("-", "")}`,
  "TypedLocalObjectReference.apiGroup": one("snapshot.storage.k8s.io"),
  "TypedLocalObjectReference.kind": one("VolumeSnapshot"),
  "TypedObjectReference.apiGroup": one("populator.example.com"),
  "TypedObjectReference.kind": one("Source"),
  "VolumeResourceRequirements.limits": storage,
  "VolumeResourceRequirements.requests": storage,
  "WindowsSecurityContextOptions.hostProcess": one(false),
};

/** Values by the schema's type, for all other fields. */
const SCALARS: Readonly<Record<string, Provider>> = {
  string: (random) => random.unique("s"),
  boolean: one(true, false),
  integer: small,
  Quantity: quantity,
  IntOrString: (random) => (random.chance(0.5) ? port(random) : random.unique("port")),
  FieldsV1: () => ({}),
  Time: () => "2026-11-24T00:00:00Z",
};

/** Returns one value, one item of a list, or a whole map. */
export function scalarFor(owner: string, { name, type, values, shape }: SchemaField, random: Random): unknown {
  const known = VALUES[`${owner}.${name}`] ?? VALUES[`*.${name}`];
  if (known !== undefined) return known(random);
  if (values.length > 0) return random.pick(values);
  const scalar = SCALARS[type];
  if (scalar === undefined) throw new Error(`no value for ${owner}.${name} of type ${type}: add one`);
  return shape === "map" ? { [random.unique("key")]: scalar(random) } : scalar(random);
}
