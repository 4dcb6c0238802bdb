/**
 * The pods that every contestant reviews: as a ReplicaSet creates them, with managedFields, and opted in to both our product and Azure
 * Workload Identity, so that each has to do its whole mutation.
 */
export interface ReviewSize {
  readonly name: "small" | "large";
  readonly containers: number;
  readonly variables: number;
}

/** About 4 KB and 60 KB of JSON: one container, and a pod with sidecars and long environments. */
export const SIZES: readonly ReviewSize[] = [
  { name: "small", containers: 1, variables: 6 },
  { name: "large", containers: 12, variables: 40 },
];

export const BENCH_NAMESPACE = "bench";
export const BENCH_CLASS = "app-secrets";

const TOKEN_MOUNT = { name: "kube-api-access-x2x9p", readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };

function container(index: number, variables: number): object {
  return {
    name: `app-${index}`,
    image: `registry.example.com/team/app-${index}:2026.11.24`,
    args: ["--listen=:8080", `--shard=${index}`],
    ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
    env: Array.from({ length: variables }, (_, number) => ({
      name: `SETTING_${number}`,
      value: `value of setting ${number} of container ${index}: a sentence of usual length`,
    })),
    resources: { limits: { cpu: "500m", memory: "256Mi" }, requests: { cpu: "100m", memory: "128Mi" } },
    volumeMounts: [TOKEN_MOUNT],
    livenessProbe: {
      httpGet: { path: "/healthz", port: "http", scheme: "HTTP" },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    },
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: "IfNotPresent",
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
  };
}

function managedFields(containers: number): object {
  const field = { ".": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {}, "f:resources": {}, "f:env": {}, "f:ports": {} };
  const named = Array.from({ length: containers }, (_, index) => [`k:{"name":"app-${index}"}`, field]);
  return {
    manager: "kube-controller-manager",
    operation: "Update",
    apiVersion: "v1",
    time: "2026-11-24T09:00:00Z",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:metadata": { "f:generateName": {}, "f:labels": {} }, "f:spec": { "f:containers": Object.fromEntries(named) } },
  };
}

function pod({ containers, variables }: ReviewSize): object {
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: {
      generateName: "app-7c9d8f6b5d-",
      creationTimestamp: null,
      labels: { app: "app", "pod-template-hash": "7c9d8f6b5d", "azure.workload.identity/use": "true" },
      annotations: { "keyvault-injector.dev/inject": "true", "keyvault-injector.dev/secret-provider-class": BENCH_CLASS },
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "ReplicaSet",
          name: "app-7c9d8f6b5d",
          uid: "5f4e2a61-0c3b-4a53-9a3e-0f5d5d1f9a10",
          controller: true,
        },
      ],
      managedFields: [managedFields(containers)],
    },
    spec: {
      volumes: [{ name: TOKEN_MOUNT.name, projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: "token" } }] } }],
      containers: Array.from({ length: containers }, (_, index) => container(index, variables)),
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      serviceAccountName: "default",
      serviceAccount: "default",
      securityContext: { runAsNonRoot: true },
      schedulerName: "default-scheduler",
      tolerations: [{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 }],
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: "PreemptLowerPriority",
    },
    status: {},
  };
}

const POD_KIND = { group: "", version: "v1", kind: "Pod" };
const POD_RESOURCE = { group: "", version: "v1", resource: "pods" };

/** Returns the body that the API server would send. */
export function reviewOf(size: ReviewSize): Buffer {
  const request = {
    uid: "2f1d9f34-7c1e-4a50-8f0b-9a4e2f5c7d11",
    kind: POD_KIND,
    resource: POD_RESOURCE,
    requestKind: POD_KIND,
    requestResource: POD_RESOURCE,
    namespace: BENCH_NAMESPACE,
    operation: "CREATE",
    userInfo: { username: "system:serviceaccount:kube-system:replicaset-controller", groups: ["system:authenticated"] },
    object: pod(size),
    oldObject: null,
    dryRun: false,
    options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
  };
  return Buffer.from(JSON.stringify({ kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", request }));
}
