const METADATA = "spec.volumes[].ephemeral.volumeClaimTemplate.metadata";
const TEMPLATE = "a claim's template has labels and annotations, and no other metadata";

/** Paths that the API server rejects in a new pod, with everything below them, and the reason. The test proves each. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  "spec.ephemeralContainers[]": "added to a pod that runs, through a subresource",
  "spec.containers[].readinessProbe.terminationGracePeriodSeconds": "a failed readiness probe ends nothing",
  "spec.initContainers[].readinessProbe.terminationGracePeriodSeconds": "a failed readiness probe ends nothing",
  "spec.resources.claims[]": "containers make claims, not the pod as a whole",
  [`${METADATA}.creationTimestamp`]: TEMPLATE,
  [`${METADATA}.deletionGracePeriodSeconds`]: TEMPLATE,
  [`${METADATA}.deletionTimestamp`]: TEMPLATE,
  [`${METADATA}.finalizers[]`]: TEMPLATE,
  [`${METADATA}.generateName`]: TEMPLATE,
  [`${METADATA}.generation`]: TEMPLATE,
  [`${METADATA}.managedFields[]`]: TEMPLATE,
  [`${METADATA}.name`]: TEMPLATE,
  [`${METADATA}.namespace`]: TEMPLATE,
  [`${METADATA}.ownerReferences[]`]: TEMPLATE,
  [`${METADATA}.resourceVersion`]: TEMPLATE,
  [`${METADATA}.selfLink`]: TEMPLATE,
  [`${METADATA}.uid`]: TEMPLATE,
};

/** Returns the exception that covers the path. Undefined if every pod may have the path. */
export function exceptionOf(path: string): string | undefined {
  return Object.keys(EXCEPTIONS).find((root) => path === root || path.startsWith(`${root}.`));
}

/** Feature gates that are off by default in this API server. Without them, the API server does not store the fields. */
export const FEATURE_GATES = [
  "ClusterTrustBundle",
  "ClusterTrustBundleProjection",
  "ContainerStopSignals",
  "CrossNamespaceVolumeDataSource",
  "GenericWorkload",
  "PodCertificateRequest",
  "TaintTolerationComparisonOperators",
];

/** Kinds to which the fields behind these gates refer. */
export const RUNTIME_CONFIG = ["certificates.k8s.io/v1beta1", "scheduling.k8s.io/v1alpha2"];
