import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";

type Json = Readonly<Record<string, unknown>>;

/** The document's pod, as JSON. */
export function documentPod(annotations: Readonly<Record<string, string>> = {}): Json {
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name: "busybox-secrets-store-inline", annotations },
    spec: {
      containers: [
        {
          name: "busybox",
          image: "registry.k8s.io/e2e-test-images/busybox:1.29-4",
          command: ["/bin/sleep", "10000"],
          volumeMounts: [{ name: "secrets-store-inline", mountPath: "/mnt/secrets-store", readOnly: true }],
        },
      ],
      volumes: [documentVolume()],
    },
  };
}

export function documentVolume(changes: Json = {}): Json {
  return {
    name: "secrets-store-inline",
    csi: {
      driver: "secrets-store.csi.k8s.io",
      readOnly: true,
      volumeAttributes: { secretProviderClass: "akvprovider-demo" },
      nodePublishSecretRef: { name: "secrets-store-creds" },
    },
    ...changes,
  };
}

/** A pod without volumes, whose annotations are given without their prefix. */
export function aPod(annotations: Readonly<Record<string, string>>, spec: Json = {}): Json {
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name: "app", annotations: prefixed(annotations) },
    spec: { containers: [{ name: "app", image: "app:1" }], ...spec },
  };
}

/** The least that opts a pod in. */
export const OPTED_IN = { inject: "true", "secret-provider-class": "akvprovider-demo" } as const;

export function prefixed(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`keyvault-injector.dev/${name}`, value]));
}

const ONE_OBJECT = "array:\n  - |\n    objectName: a\n    objectType: secret\n";

/** The document's class: service principal. */
export function aClass(
  parameters: Readonly<Record<string, string>> = {},
  name = "akvprovider-demo",
  namespace = "default",
): SecretProviderClass {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { name, namespace },
    spec: {
      provider: "azure",
      parameters: { usePodIdentity: "false", keyvaultName: "shop", tenantId: "t", objects: ONE_OBJECT, ...parameters },
    },
  };
}

/** What the API server sends when that pod is created. */
export function aReview(pod: unknown, changes: Json = {}): Json {
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: "0b4f7a3e-6a0c-4a3f-9a52-3a7c3b1d5e10",
      kind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      requestKind: { group: "", version: "v1", kind: "Pod" },
      requestResource: { group: "", version: "v1", resource: "pods" },
      namespace: "default",
      operation: "CREATE",
      userInfo: { username: "system:serviceaccount:kube-system:replicaset-controller" },
      object: pod,
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
      ...changes,
    },
  };
}
